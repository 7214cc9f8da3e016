//! What a run has to say about one Dockerfile: findings, declines, withheld patches, and the text after the fixes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::rule::{Applicability, Estimate, Saving};
use crate::text::{Patch, Source, Span};

/// Everything about one Dockerfile after the whole chain.
#[derive(Debug, Clone)]
pub struct Report {
    /// The file as it was read. All spans of the report are of this text.
    pub source: Source,
    /// The text after every applied fix; equal to the source's where nothing was applied.
    pub output: Vec<u8>,
    /// The text with what is only suggested as well, as far as that goes together; `None` where there is nothing to show.
    pub suggested: Option<Vec<u8>>,
    /// What rules found, in the order of the text.
    pub findings: Vec<Finding>,
    /// What rules looked at and left alone, with the reason, in the order of the text.
    pub declined: Vec<Decline>,
    /// Patches that were not let through: bugs of ours.
    pub withheld: Vec<Withheld>,
    /// Why BuildKit refuses the file; nothing else was done then.
    pub refused: Vec<Refusal>,
    /// What changes cost in the next build, with the source and with the output; empty unless steps were reordered.
    pub rebuilds: Vec<Rebuild>,
}

/// Something that a rule would change.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What the finding is about, in the original text.
    pub span: Span,
    /// What is there, lower case, names in backticks.
    pub message: String,
    /// How to mend it; `None` where the rule only reports.
    pub fix: Option<Fix>,
    /// The fix as a patch of [`Report::source`], where it was asked for and can be made without the other fixes.
    pub alone: Option<Patch>,
    /// Whether the fix is in [`Report::output`].
    pub applied: bool,
    /// What the fix saves, as far as its rule says.
    pub estimate: Option<Estimate>,
    /// What changes cost in the next build, without and with the fix; empty unless it reorders steps.
    pub rebuilds: Vec<Rebuild>,
}

/// One change, applied whole or not at all.
#[derive(Debug, Clone)]
pub struct Fix {
    /// Imperative: `remove the package lists in the same step`.
    pub title: String,
    /// How sure it is; never above its rule's.
    pub applicability: Applicability,
    /// The patch of the Dockerfile, against the text that the pass saw.
    pub patch: Patch,
    /// Other files that the fix writes: path relative to the context, and content after it.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// What a build sends of its context, without and with the fix, where it is about that.
    pub sent: Option<[Sent; 2]>,
    /// What it saves, where more is known than what its rule says of every fix.
    pub saving: Option<Saving>,
    /// Why it is as it is, a sentence each; empty where its rule does not say.
    pub reasons: Vec<String>,
}

/// How much of the build context a build sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The bytes of the files.
    pub bytes: u64,
    /// How many files.
    pub files: u64,
    /// Whether it is more, for there was too much to look at.
    pub at_least: bool,
}

/// What one change costs in the next build, before and after a rewrite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuild {
    /// What changed since the last build.
    #[serde(flatten)]
    pub changed: Changed,
    /// The next build without the rewrite.
    pub before: Steps,
    /// The next build with it.
    pub after: Steps,
}

/// What changed since the last build, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "changed", content = "name")]
pub enum Changed {
    /// A file of the build context that is no manifest; its path there.
    Source(String),
    /// The manifest or lock file of a package manager; its path in the build context.
    Manifest(String),
    /// The value of this build argument.
    Argument(String),
}

/// The steps of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// Those that come from the cache.
    pub cached: usize,
    /// Those that run only if what they take comes out different.
    pub may_run: usize,
    /// Those that run.
    pub run: usize,
}

/// Something that a rule looked at and left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// The rule's id.
    pub rule: String,
    /// What it looked at, in the original text.
    pub span: Span,
    /// Why it was left alone.
    pub reason: String,
}

/// A patch that a check stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The rule's id.
    pub rule: String,
    /// What the finding was about, in the original text.
    pub span: Span,
    /// What the check saw.
    pub reason: String,
}

/// One reason for which BuildKit refuses the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Report {
    /// Whether the output differs from the source.
    pub fn is_changed(&self) -> bool {
        self.output != self.source.text
    }

    /// The files that the applied fixes write, by path in the context.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.written().into_keys()
    }

    /// Path and content of each file that the fixes in the output write. A fix saw what the one before it wrote: the
    /// last counts.
    pub fn written(&self) -> BTreeMap<&Path, &[u8]> {
        let applied = self.findings.iter().filter(|finding| finding.applied);
        let fixes = applied.flat_map(|finding| &finding.fix);
        let files = fixes.flat_map(|fix| &fix.files);
        files
            .map(|(path, after)| (path.as_path(), after.as_slice()))
            .collect()
    }

    /// What the fixes in the output save together; `None` where no rule of theirs says.
    pub fn saving(&self) -> Option<Saving> {
        Saving::sum(self.findings.iter().filter(|finding| finding.applied))
    }

    /// What the unsafe fixes that are left out would save.
    pub fn unsafe_saving(&self) -> Option<Saving> {
        let is_unsafe = |fix: &Fix| fix.applicability == Applicability::Unsafe;
        let left = |one: &&Finding| !one.applied && one.fix.as_ref().is_some_and(is_unsafe);
        Saving::sum(self.findings.iter().filter(left))
    }
}

impl Fix {
    /// The fix with the reasons for which it is as it is.
    #[must_use]
    pub fn because(mut self, reasons: Vec<String>) -> Self {
        self.reasons = reasons;
        self
    }

    /// The fix with what it saves.
    #[must_use]
    pub fn saves(mut self, saving: Option<Saving>) -> Self {
        self.saving = saving;
        self
    }
}

impl Rebuild {
    /// Whether the rewrite makes more or fewer steps run, not only more or fewer of them.
    pub fn differs(&self) -> bool {
        let (before, after) = (self.before, self.after);
        before.cached != after.cached && before.not_cached() != after.not_cached()
    }
}

impl Steps {
    /// Those that run, and those that may.
    pub fn not_cached(self) -> usize {
        self.may_run + self.run
    }
}

impl Saving {
    /// What these findings save together; `None` where none of them says.
    pub fn sum<'a>(findings: impl Iterator<Item = &'a Finding>) -> Option<Self> {
        let savings = findings.filter_map(|finding| finding.estimate.as_ref());
        savings.map(|estimate| estimate.saving).reduce(Self::and)
    }
}
