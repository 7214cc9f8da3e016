//! `dockeropt explain --history`: after how many of the last commits each step would have run again, before and after the
//! fixes.
//!
//! As if today's Dockerfile, and today's ignore file, had been there all the time, and every commit had been built after
//! the one before it. Nothing is said of what the repository does not hold.

mod steps;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::super::output::Output;
use super::super::run::{self, Done};
use super::super::{Format, Status, inputs};
use crate::context::BuildContext;
use crate::context::ignore::{FILE_NAME, Ignore};
use crate::context::past::Past;
use crate::history::{self, End, History};
use crate::render::{Look, human, json, shortened, visible_line};
use crate::report::Finding;
use crate::rule::Applicability;
use crate::walk::PathError;
use crate::walk::disk::DiskContext;

use steps::{Build, Expensive, Pair, Rebuilt, pairs, replay};

/// What is asked of a history.
pub(super) struct Asked {
    /// As many commits, at most.
    pub(super) most: usize,
    pub(super) include_unsafe: bool,
    pub(super) format: Format,
}

/// A run that takes longer shows how far it is.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn run(files: &inputs::Files, asked: &Asked, output: &mut Output) -> Result<Status> {
    if files.paths.iter().any(|path| path.is_dir()) {
        bail!("`--history` is of one Dockerfile: name it");
    }
    let show = |done: &Done<'_>, _: Look| {
        if !done.report.refused.is_empty() {
            return Ok(Vec::new());
        }
        let told = Told::of(done, asked)?;
        let told = match asked.format {
            Format::Text => told.text(),
            Format::Json => told.json(),
        };
        Ok(told.into_bytes())
    };
    let allow = match asked.include_unsafe {
        true => Applicability::Unsafe,
        false => Applicability::Safe,
    };
    run::show(files, allow, false, &show, output)
}

/// What a history tells about a Dockerfile.
struct Told<'a> {
    done: &'a Done<'a>,
    commits: usize,
    end: End,
    pairs: Vec<Pair>,
}

impl<'a> Told<'a> {
    fn of(done: &'a Done<'a>, asked: &Asked) -> Result<Self, PathError> {
        let path = done.input.path();
        let fail = |reason: &dyn std::fmt::Display| PathError::new(path, reason);
        let Some(root) = &done.root else {
            return Err(fail(&done.context));
        };
        let context = DiskContext::new(root).map_err(|error| PathError::io(root, &error))?;
        let ignore = done
            .site
            .ignore(&context)
            .map_err(|error| fail(&error))?
            .ignore;
        let Some(file) = done.input.file() else {
            return Err(fail(&"has no path, so that nobody knows its repository"));
        };
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let place = folder.canonicalize();
        let place = place.map_err(|error| PathError::io(folder, &error))?;
        // Each commit is read, and built twice.
        let mut progress = Progress::new(3 * asked.most);
        let step: &mut dyn FnMut() = &mut || progress.step();
        let history = history::read(&place, context.root(), asked.most, step);
        let history = history.map_err(|error| fail(&error))?;
        if history.commits.is_empty() {
            return Err(fail(&without_commits(&history.end)));
        }
        let pairs = Self::replay(done, &context, &ignore, &history, step);
        progress.end();
        Ok(Self {
            done,
            commits: history.commits.len(),
            end: history.end,
            pairs,
        })
    }

    fn replay(
        done: &Done<'_>,
        context: &dyn BuildContext,
        ignore: &Ignore,
        history: &History,
        step: &mut dyn FnMut(),
    ) -> Vec<Pair> {
        let commits = &history.commits;
        let past = Past::new(context, commits.iter().flatten());
        let mut side = |text: &[u8], ignore: &Ignore| {
            let build = Build {
                context: &past,
                ignore,
                input: &done.build,
            };
            replay(text, &build, commits, step)
        };
        let before = side(&done.report.source.text, ignore);
        let fixed = fixed_ignore(done);
        let after = side(&done.report.output, fixed.as_ref().unwrap_or(ignore));
        pairs(before, after)
    }

    fn text(&self) -> String {
        let path = visible_line(&self.done.report.source.path.to_string_lossy());
        let commits = human::count(self.commits, "commit");
        let mut told = format!("{path}: {}\n", visible_line(&self.done.context));
        told += &format!(
            "{path}: the last {commits}, as if today's Dockerfile had been there; {}\n",
            self.fixes()
        );
        if let Some(end) = end(&self.end) {
            told += &format!("{path}: {}\n", visible_line(&end));
        }
        told.push('\n');
        told.extend(self.pairs.iter().map(|pair| self.row(pair)));
        let (before, after) = self.totals();
        let times = |rebuilt| format!("{} times", counted(rebuilt));
        told + &format!(
            "\nall steps together: rebuilt {}\n",
            arrow(before, after, times)
        )
    }

    /// Which fixes are between before and after.
    fn fixes(&self) -> String {
        let report = &self.done.report;
        let is_unsafe = |left: &&Finding| {
            let fix = left.fix.as_ref();
            !left.applied && fix.is_some_and(|fix| fix.applicability == Applicability::Unsafe)
        };
        let applied = report.findings.iter().filter(|one| one.applied).count();
        let left = report.findings.iter().filter(is_unsafe).count();
        let mut told = match applied {
            0 => "no fix changes it".to_owned(),
            some => format!("before → after {}", human::count(some, "fix")),
        };
        if left > 0 {
            let fixes = human::count(left, "unsafe fix");
            told += &format!("; {fixes} not included, see with `--unsafe`");
        }
        told
    }

    fn row(&self, pair: &Pair) -> String {
        let commits = |rebuilt| format!("{} of {} commits", counted(rebuilt), self.commits);
        let (line, step, told) = match (&pair.before, &pair.after) {
            (Some(before), Some(after)) => {
                let told = arrow(before.rebuilt, after.rebuilt, commits);
                (before.line.to_string(), before, told)
            }
            (Some(before), None) => {
                let told = commits(before.rebuilt) + " → part of another step, or gone";
                (before.line.to_string(), before, told)
            }
            (None, Some(after)) => ("new".to_owned(), after, commits(after.rebuilt)),
            (None, None) => return String::new(),
        };
        let text = shortened(&step.text);
        format!("{line:>5}  {text}\n       rebuilt in {told}\n")
    }

    fn totals(&self) -> (Rebuilt, Rebuilt) {
        let before = self.pairs.iter().filter_map(|pair| pair.before.as_ref());
        let after = self.pairs.iter().filter_map(|pair| pair.after.as_ref());
        (total(before), total(after))
    }

    fn json(&self) -> String {
        let (before, after) = self.totals();
        let report = &self.done.report;
        let (end, reason) = match &self.end {
            End::Enough => ("enough", None),
            End::First => ("first", None),
            End::Shallow => ("shallow", None),
            End::Unreadable(reason) => ("unreadable", Some(reason.as_str())),
        };
        let document = Document {
            version: json::VERSION,
            path: report.source.path.to_string_lossy().into_owned(),
            context: &self.done.context,
            commits: self.commits,
            end,
            reason,
            changed: report.is_changed(),
            steps: self.pairs.iter().map(Row::of).collect(),
            total: Sides {
                before: Some(before),
                after: Some(after),
            },
        };
        // Fails only for maps with keys that are not strings; there are none.
        serde_json::to_string(&document).unwrap_or_default() + "\n"
    }
}

fn total<'a>(steps: impl Iterator<Item = &'a Expensive>) -> Rebuilt {
    steps.fold(Rebuilt::default(), |sum, step| Rebuilt {
        certainly: sum.certainly + step.rebuilt.certainly,
        perhaps: sum.perhaps + step.rebuilt.perhaps,
    })
}

/// `143`, or `143 and perhaps 5 more`.
fn counted(rebuilt: Rebuilt) -> String {
    let Rebuilt { certainly, perhaps } = rebuilt;
    match perhaps {
        0 => certainly.to_string(),
        some => format!("{certainly} and perhaps {some} more"),
    }
}

/// `143 of 200 commits → 12 of 200 commits`; once where both are the same.
fn arrow(before: Rebuilt, after: Rebuilt, say: impl Fn(Rebuilt) -> String) -> String {
    match before == after {
        true => say(before),
        false => format!("{} → {}", say(before), say(after)),
    }
}

/// Why there are fewer commits than were asked for.
fn end(end: &End) -> Option<String> {
    match end {
        End::Enough => None,
        End::First => Some("the history is no longer".to_owned()),
        End::Shallow => Some(format!("no more is known: {SHALLOW}")),
        End::Unreadable(reason) => Some(format!("older commits cannot be read: {reason}")),
    }
}

const SHALLOW: &str = "the clone is shallow, `git fetch --unshallow` gets the rest";

/// Why there are no commits at all.
fn without_commits(end: &End) -> String {
    match end {
        End::Enough | End::First => "its first commit is the only one: nothing changed since",
        End::Shallow => return format!("no history is known: {SHALLOW}"),
        End::Unreadable(reason) => return format!("the history cannot be read: {reason}"),
    }
    .to_owned()
}

/// The ignore file that the fixes write.
fn fixed_ignore(done: &Done<'_>) -> Option<Ignore> {
    let findings = done.report.findings.iter().filter(|one| one.applied);
    let files = findings.flat_map(|one| &one.fix).flat_map(|fix| &fix.files);
    let mut ignores = files.filter(|(path, _)| path.to_string_lossy().ends_with(FILE_NAME));
    let (_, text) = ignores.next_back()?;
    Ignore::parse(text).ok()
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    path: String,
    context: &'a str,
    commits: usize,
    end: &'a str,
    reason: Option<&'a str>,
    changed: bool,
    steps: Vec<Row<'a>>,
    total: Sides,
}

#[derive(Serialize)]
struct Row<'a> {
    /// In the file as it is; `None` for a step that the fixes bring.
    line: Option<u32>,
    text: &'a str,
    #[serde(flatten)]
    rebuilt: Sides,
}

#[derive(Serialize)]
struct Sides {
    before: Option<Rebuilt>,
    after: Option<Rebuilt>,
}

impl<'a> Row<'a> {
    fn of(pair: &'a Pair) -> Self {
        let step = pair.before.as_ref().or(pair.after.as_ref());
        let rebuilt = |step: &Option<Expensive>| step.as_ref().map(|step| step.rebuilt);
        Self {
            line: pair.before.as_ref().map(|step| step.line),
            text: step.map_or("", |step| &step.text),
            rebuilt: Sides {
                before: rebuilt(&pair.before),
                after: rebuilt(&pair.after),
            },
        }
    }
}

/// How far a run is: shown on a terminal, where it takes long.
struct Progress {
    started: Instant,
    done: u64,
    all: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(all: usize) -> Self {
        Self {
            started: Instant::now(),
            done: 0,
            all: all as u64,
            bar: None,
        }
    }

    fn step(&mut self) {
        self.done += 1;
        if self.bar.is_none() && self.started.elapsed() > PATIENCE && io::stderr().is_terminal() {
            let bar = ProgressBar::new(self.all);
            let style = ProgressStyle::with_template("building commits {bar:40} {percent}%");
            self.bar = Some(match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            });
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
