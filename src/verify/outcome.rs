//! What came out of one Dockerfile: what was built, what was measured, and what differs.

use std::path::PathBuf;

use serde::Serialize;

use super::Compared;

/// One Dockerfile on trial, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The path that reports name.
    pub path: PathBuf,
    /// What came out of it in the end.
    pub outcome: Outcome,
    /// The rules that were taken out of it on the way, each with the reason on one line.
    pub left_out: Vec<LeftOut>,
}

/// A rule that did not verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its id.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// What came out of one Dockerfile.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// No rule changes it: there is nothing to compare.
    Unchanged,
    /// It does not build as it is: nothing is concluded.
    NotBuilt(String),
    /// Both were built, or the rewritten one does not build.
    Tried(Box<Tried>),
}

/// Both sides of one Dockerfile.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tried {
    /// The rules whose fixes are in the rewritten file.
    pub rules: Vec<String>,
    /// The original.
    pub before: Measures,
    /// The rewritten one; `None` where it does not build.
    pub after: Option<Measures>,
    /// What the engine says where it does not build.
    pub said: Option<String>,
    /// What differs.
    pub compared: Compared,
    /// The rule with which the first difference appears that no effect declares.
    pub culprit: Option<String>,
    /// What became of the steps after changes.
    pub rebuilds: Vec<Rebuilt>,
    /// What the rewritten image exceeds of the budget, whole lines.
    pub exceeded: Vec<String>,
    /// The vulnerabilities of both, where they were counted.
    pub scans: Option<[Severities; 2]>,
    /// What else is to be said, whole lines.
    pub notes: Vec<String>,
}

/// What was measured of an image.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Measures {
    /// The bytes of its layers' files.
    pub bytes: u64,
    /// The bytes of its layers when compressed with gzip, where that is known.
    pub compressed: Option<u64>,
    /// How many layers it has.
    pub layers: usize,
    /// The bytes that later layers overwrite or delete.
    pub wasted: u64,
    /// How many of the bytes are of use: 1 where nothing is wasted.
    pub efficiency: f64,
    /// How many paths it has.
    pub paths: usize,
    /// Seconds that the build took, with what the cache had.
    pub seconds: f64,
    /// Its name, where it is kept.
    pub image: Option<String>,
}

/// How two builds went after the same change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rebuilt {
    /// The file that changed, in the context.
    pub file: String,
    /// The original.
    pub before: Steps,
    /// The rewritten one.
    pub after: Steps,
}

/// How the steps of a build went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Steps {
    /// How many ran.
    pub ran: usize,
    /// How many there are.
    pub all: usize,
    /// Seconds from start to end.
    pub seconds: f64,
}

/// How many vulnerabilities an image has, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs)]
pub struct Severities {
    pub critical: usize,
    pub high: usize,
    pub medium: usize,
    pub low: usize,
    pub unknown: usize,
}

impl From<[usize; 5]> for Severities {
    fn from([critical, high, medium, low, unknown]: [usize; 5]) -> Self {
        Self {
            critical,
            high,
            medium,
            low,
            unknown,
        }
    }
}

impl Outcome {
    /// Whether both were built and nothing differs that should not.
    pub fn is_verified(&self) -> bool {
        match self {
            Self::Unchanged => true,
            Self::NotBuilt(_) => false,
            Self::Tried(tried) => tried.is_verified(),
        }
    }
}

impl Tried {
    /// Whether the rewritten one was built and does the same.
    pub fn does_the_same(&self) -> bool {
        self.after.is_some() && self.compared.is_verified()
    }

    /// Whether the rewritten one was built, does the same, and is within its budget.
    pub fn is_verified(&self) -> bool {
        self.does_the_same() && self.exceeded.is_empty()
    }
}
