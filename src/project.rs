//! What the build context holds: the manifests of eight ecosystems as typed facts.
//!
//! Each reader is a pure function from bytes to facts or to a [`ManifestError`]; where a manifest names others, it takes
//! the context and the path of the manifest in it. A fact is what the manifest says in so many words: what is absent is
//! `None`, what a tool would compute is [`Value::Computed`] or `None`, and nothing is guessed. Readers never run a
//! manifest, never leave the context and never panic, whatever the bytes.

mod directory;
mod expand;
mod path;
mod read;
#[cfg(test)]
mod testing;
mod xml;

pub mod dotnet;
pub mod go;
pub mod java;
pub mod node;
pub mod php;
pub mod python;
pub mod ruby;
pub mod rust;

pub use directory::Project;

use std::fmt;

/// A manifest that is broken, cannot be read, or names something that is not there. Rules that need it decline with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// Path of the manifest in the context.
    pub path: String,
    /// 1-based line, where there is one.
    pub line: Option<u32>,
    /// What is wrong, lower case, one line.
    pub message: String,
}

impl ManifestError {
    pub(crate) fn new(path: &str, line: Option<u32>, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "`{}` line {line}: {}", self.path, self.message),
            None => write!(f, "`{}`: {}", self.path, self.message),
        }
    }
}

impl std::error::Error for ManifestError {}

/// A text that a manifest states, or leaves to the tool that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Exactly this text.
    Literal(String),
    /// An expression, as it stands: properties, variables or conditions decide.
    Computed(String),
}

impl Value {
    /// The text, if the manifest states it.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Computed(_) => None,
        }
    }
}
