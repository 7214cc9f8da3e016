//! Whether two built images do the same: their configuration, their files, and what they answer.
//!
//! Compares what an engine built, and knows nothing of the rewrite but the effects that its rules declare: a difference
//! that no effect covers is what the comparison is for. Never builds, never runs and never reads a disk.

mod compare;
mod config;
mod declared;
mod outcome;
mod tree;

use std::fmt;

pub use compare::{Compared, compare};
pub use outcome::{LeftOut, Measures, Outcome, Rebuilt, Severities, Steps, Tried, Verified};
pub use tree::{Change, Node, NodeKind, Tree};

/// One of the two images.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// What stands at each path.
    pub tree: Tree,
    /// The configuration, as `docker image inspect` has it under `Config`.
    pub config: serde_json::Value,
    /// What it answers where it is tried; `None` where it is not.
    pub answer: Option<Answer>,
}

/// What a program in the image says for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit status of a command, or the status of an HTTP response.
    pub status: i32,
    /// What it printed, or the body of the response.
    pub body: Vec<u8>,
}

impl Answer {
    /// Of a program that serves no page at all, and why.
    pub fn silence(why: &str) -> Self {
        let body = why.as_bytes().to_vec();
        Self { status: 0, body }
    }

    /// Whether it is [`Answer::silence`]: that of a command has no such words, and a page has no such status.
    pub fn is_silence(&self) -> bool {
        self.status == 0 && self.body.starts_with(b"serves no page")
    }
}

/// Something in which two images differ.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// A key of the configuration: its name as in `config:<key>`, and both values.
    Config {
        /// The key.
        key: &'static str,
        /// Its value before.
        before: serde_json::Value,
        /// Its value after.
        after: serde_json::Value,
    },
    /// What stands at a path.
    File {
        /// The absolute path.
        path: String,
        /// In what the two differ.
        change: Change,
    },
    /// What a program answers.
    Answer {
        /// Before.
        before: Answer,
        /// After.
        after: Answer,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { key, before, after } => {
                write!(f, "the configuration's `{key}` is {before}, then {after}")
            }
            Self::File { path, change } => write!(f, "`{path}` {change}"),
            Self::Answer { after, .. } if after.is_silence() => {
                write!(f, "it {}", String::from_utf8_lossy(&after.body))
            }
            Self::Answer { before, after } if before.status != after.status => {
                write!(
                    f,
                    "it answers with status {}, then with {}",
                    before.status, after.status
                )
            }
            Self::Answer { before, after } => write!(
                f,
                "it answers {}, then {}",
                shown(&before.body),
                shown(&after.body)
            ),
        }
    }
}

/// The start of a body, on one line.
fn shown(body: &[u8]) -> String {
    const ENOUGH: usize = 120;
    let text = String::from_utf8_lossy(body);
    let mut chars = text.trim().chars();
    let start: String = chars.by_ref().take(ENOUGH).collect();
    let rest = if chars.next().is_some() { " …" } else { "" };
    format!("{start:?}{rest}")
}
