//! Reports as one document for another program: what a format is made of, and what a run hands to it.
//!
//! A run over many files never holds all of them: what a file adds is printed when the file is done.

use std::path::{Path, PathBuf};

use super::Tally;
use crate::report::Report;
use crate::rule::Rule;
use crate::text::LineIndex;

/// A format: what stands before the first file, what each file adds, and what stands behind the last one.
pub struct Document {
    /// Before the first file.
    pub start: fn() -> String,
    /// What one file adds, on any thread.
    pub file: fn(&Reported<'_>) -> String,
    /// Between what two files add; nothing stands around a file that adds nothing.
    pub between: &'static str,
    /// So many bytes of what files add are held, and handed to `end`; with none, they are printed as they come.
    pub held: usize,
    /// Behind the last file.
    pub end: fn(&End<'_>) -> String,
    /// What has to be found out about each file.
    pub needs: Needs,
}

/// What a format has to know of each file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// [`Reported::diff`].
    pub diff: bool,
    /// [`crate::report::Finding::alone`].
    pub alone: bool,
}

/// One file of a run.
pub struct Reported<'a> {
    /// What there is to say about it.
    pub report: &'a Report,
    /// Where it is for the readers of documents: below the root of the repository, or absolute outside of it.
    pub place: &'a Path,
    /// What its fixes change, of the files that they write too; empty unless the format needs it.
    pub diff: Vec<u8>,
}

/// A run whose files are all done.
pub struct End<'a> {
    /// What could not be done, or was not let through.
    pub problems: &'a [Problem],
    /// The counts.
    pub tally: &'a Tally,
    /// The rules that ran, each once, by id.
    pub rules: &'a [&'a Rule],
    /// Whether any file added something.
    pub has_files: bool,
    /// What files added, where the format holds that.
    pub held: &'a [String],
    /// How many more files added something.
    pub left_out: usize,
}

/// Why a file could not be done, or a fix of it was not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What of.
    pub kind: ProblemKind,
    /// The path as the user named it.
    pub path: PathBuf,
    /// As [`Reported::place`].
    pub place: PathBuf,
    /// The 1-based line, where one is known.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

/// What a problem is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// The path could not be done.
    Error,
    /// BuildKit refuses the file.
    Refused,
    /// A patch of that rule was stopped by a check: a bug of ours.
    Withheld(String),
}

impl Problem {
    /// The problems of one file that was read.
    pub fn of(report: &Report, place: &Path) -> Vec<Self> {
        let lines = LineIndex::new(&report.source.text);
        let problem = |kind, span: crate::text::Span, message: &str| Self {
            kind,
            path: report.source.path.clone(),
            place: place.to_owned(),
            line: Some(lines.line(span.start)),
            message: message.to_owned(),
        };
        let refused = report.refused.iter().map(|one| {
            let message = format!("BuildKit refuses this file: {}", one.message);
            problem(ProblemKind::Refused, one.span, &message)
        });
        let withheld = report.withheld.iter().map(|one| {
            let kind = ProblemKind::Withheld(one.rule.clone());
            problem(kind, one.span, &one.reason)
        });
        refused.chain(withheld).collect()
    }
}
