//! Standard output and standard error.
//!
//! A reader that went away (`dockeropt fix | head`) ends nothing but the printing, quietly.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anstream::{AutoStream, ColorChoice};

use super::Color;
use crate::render::{ERROR, Look, WARNING, visible_line};
use crate::walk::PathError;

/// Where a command prints.
pub(super) struct Output {
    out: BufWriter<Stdout>,
    /// How standard output looks.
    pub(super) look: Look,
    /// How standard error looks.
    pub(super) talk: Look,
    failure: Option<io::Error>,
}

impl Output {
    pub(super) fn new(color: Color) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let look = |choice, terminal| {
            let color = match color {
                Color::Auto => choice != ColorChoice::Never,
                Color::Always => true,
                Color::Never => false,
            };
            Look { color, terminal }
        };
        Self {
            look: look(AutoStream::choice(&out), out.is_terminal()),
            talk: look(AutoStream::choice(&err), err.is_terminal()),
            out: BufWriter::new(out),
            failure: None,
        }
    }

    /// Prints what was asked for.
    pub(super) fn print(&mut self, bytes: &[u8]) {
        if self.failure.is_none() {
            self.failure = self.out.write_all(bytes).err();
        }
    }

    /// Hands over what was printed so far.
    pub(super) fn flush(&mut self) {
        if self.failure.is_none() {
            self.failure = self.out.flush().err();
        }
    }

    /// Whether nobody reads what is printed any more.
    pub(super) fn is_closed(&self) -> bool {
        self.failure.is_some()
    }

    /// Says something about the run: whole lines, without control characters.
    pub(super) fn say(&mut self, text: &str) {
        // When this fails there is nobody left to tell.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// `error: message`.
    pub(super) fn error(&mut self, message: &str) {
        let word = self.talk.paint(ERROR, "error:");
        self.say(&format!("{word} {}\n", visible_line(message)));
    }

    /// `error: path: message`.
    pub(super) fn path_error(&mut self, error: &PathError) {
        self.error(&error.to_string());
    }

    /// `warning: message`.
    pub(super) fn warn(&mut self, message: &str) {
        let word = self.talk.paint(WARNING, "warning:");
        self.say(&format!("{word} {}\n", visible_line(message)));
    }

    /// Prints what is left. Says whether all was printed, as far as somebody read it.
    pub(super) fn finish(&mut self) -> bool {
        self.flush();
        let Some(failure) = self.failure.take() else {
            return true;
        };
        if failure.kind() == io::ErrorKind::BrokenPipe {
            return true;
        }
        self.error(&format!("standard output: {failure}"));
        false
    }
}
