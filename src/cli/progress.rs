//! What is shown while something takes long: a spinner or a bar on a terminal, a line at the start of each task elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::render::visible_line;

/// Standard error while a command works.
pub(super) struct Progress {
    is_terminal: bool,
}

/// Something that takes long. Dropped, it is no longer shown.
pub(super) struct Task(Option<ProgressBar>);

/// How many files of a run are done: a bar on a terminal, of a run that takes long. Dropped, it is no longer shown.
pub(super) struct Files {
    bar: ProgressBar,
    is_terminal: bool,
}

/// A run that takes longer shows how far it is.
const PATIENCE: Duration = Duration::from_secs(1);

impl Files {
    /// A run over so many files.
    pub(super) fn new(files: usize) -> Self {
        let target = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(Some(files as u64), target);
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} files {eta:.dim}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let is_terminal = stderr().is_terminal();
        Self { bar, is_terminal }
    }

    /// One more is done.
    pub(super) fn step(&self) {
        if self.is_terminal && self.bar.is_hidden() && self.bar.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }

    /// Prints something else: the bar is out of its way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress {
    pub(super) fn new() -> Self {
        let is_terminal = stderr().is_terminal();
        Self { is_terminal }
    }

    /// Shows a task until what this returns is dropped.
    pub(super) fn task(&self, title: &str) -> Task {
        if !self.is_terminal {
            anstream::eprintln!("{}", visible_line(title));
            return Task(None);
        }
        let bar = ProgressBar::new_spinner().with_message(visible_line(title));
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}  {prefix:.dim}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Task(Some(bar))
    }
}

impl Task {
    /// Shows what the task is at.
    pub(super) fn line(&self, line: &str) {
        const SHOWN: usize = 60;
        if let Some(bar) = &self.0 {
            let line: String = visible_line(line).chars().take(SHOWN).collect();
            bar.set_prefix(line);
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
