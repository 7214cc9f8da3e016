//! Standard output and standard error.
//!
//! A reader that went away (`dockeropt fix | head`) ends nothing but the printing, quietly.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anstream::{AutoStream, ColorChoice};

use super::Color;
use crate::render::snippet::{Message, Weight, snippet};
use crate::render::{ERROR, Look, WARNING, visible_line};
use crate::text::{LineIndex, Span};
use crate::walk::{self, PathError};

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

    /// `error: path: message`; with the line of the file for people.
    pub(super) fn path_error(&mut self, error: &PathError) {
        let text = self.talk.is_for_people().then_some(error.line).flatten();
        let text = text.and_then(|_| walk::read_regular(&error.path).ok());
        let shown = text.and_then(|text| pointed(error, &text, self.talk));
        match shown {
            Some(shown) => self.say(&shown),
            None => self.error(&error.to_string()),
        }
    }

    /// `warning: message`.
    pub(super) fn warn(&mut self, message: &str) {
        let word = self.talk.paint(WARNING, "warning:");
        self.say(&format!("{word} {}\n", visible_line(message)));
    }

    /// What a command ended with.
    pub(super) fn failure(&mut self, error: &anyhow::Error) {
        // With something said around it, it is no error about a line alone.
        let is_bare = error.chain().nth(1).is_none();
        match error.downcast_ref().filter(|_| is_bare) {
            Some(error) => self.path_error(error),
            None => self.error(&format!("{error:#}")),
        }
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

/// An error with the line of `text` that it names; `None` where there is no such line.
fn pointed(error: &PathError, text: &[u8], look: Look) -> Option<String> {
    let line = error.line?;
    let start = LineIndex::new(text).start_of(line)? as usize;
    let rest = text.get(start..)?;
    let end = rest.iter().position(|byte| *byte == b'\n');
    let content = std::str::from_utf8(&rest[..end.unwrap_or(rest.len())]).ok()?;
    let (title, allowed) = match error.message.strip_suffix(')') {
        Some(message) => match message.split_once(" (allowed: ") {
            Some((title, allowed)) => (title, Some(format!("allowed: {allowed}"))),
            None => (error.message.as_str(), None),
        },
        None => (error.message.as_str(), None),
    };
    let (title, meant) = match title.split_once(", did you mean ") {
        Some((title, meant)) => (title, Some(format!("did you mean {meant}"))),
        None => (title, None),
    };
    let (from, to) = place(content, title);
    let at = |offset: usize| u32::try_from(start + offset).ok();
    let message = Message {
        weight: Weight::Error,
        rule: None,
        title,
        path: &error.path,
        text,
        span: Span::new(at(from)?, at(to)?),
        help: meant.into_iter().chain(allowed).collect(),
        notes: Vec::new(),
    };
    Some(snippet(&message, look))
}

/// Where in `line` the first name stands that `message` has in backticks; the whole line where none does.
fn place(line: &str, message: &str) -> (usize, usize) {
    let names = message.split('`').skip(1).step_by(2);
    let names = names.flat_map(|name| {
        let last = name.rsplit('.').next().unwrap_or(name);
        [name, last]
    });
    let mut found = names.filter(|name| !name.is_empty()).filter_map(|name| {
        let start = line.find(name)?;
        Some((start, start + name.len()))
    });
    let blank = line.len() - line.trim_start().len();
    found
        .next()
        .unwrap_or((blank, line.trim_end().len().max(blank)))
}
