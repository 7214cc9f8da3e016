//! The counts of a run: what its summary says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::Report;
use crate::rule::{Applicability, Saving};

/// Counts over the files of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Files that were read.
    pub files: usize,
    /// Dockerfiles that the fixes change, or write other files for.
    pub changed: usize,
    /// Findings.
    pub findings: usize,
    /// Fixes that are in the output, by rule.
    pub fixes: BTreeMap<String, usize>,
    /// Fixes that are left out because they are unsafe.
    pub unsafe_fixes: usize,
    /// The same by rule, and what they would save.
    #[serde(skip)]
    pub not_included: BTreeMap<String, (usize, Option<Saving>)>,
    /// Places that were looked at and left alone.
    #[serde(skip)]
    pub declined: usize,
    /// What the fixes in the output save.
    pub saving: Option<Saving>,
    /// What the unsafe fixes that are left out would save.
    pub unsafe_saving: Option<Saving>,
    /// Findings that are only shown.
    pub suggestions: usize,
    /// Patches that a check stopped: bugs of ours.
    pub withheld: usize,
    /// Files that BuildKit refuses.
    pub refused: usize,
    /// Paths that could not be done.
    pub errors: usize,
}

impl Tally {
    /// The counts of one file.
    pub fn of(report: &Report) -> Self {
        let mut tally = Self {
            files: 1,
            changed: usize::from(report.is_changed() || report.files().next().is_some()),
            findings: report.findings.len(),
            saving: report.saving(),
            unsafe_saving: report.unsafe_saving(),
            declined: report.declined.len(),
            withheld: report.withheld.len(),
            refused: usize::from(!report.refused.is_empty()),
            ..Self::default()
        };
        for finding in &report.findings {
            let applicability = finding.fix.as_ref().map(|fix| fix.applicability);
            match applicability {
                _ if finding.applied => *tally.fixes.entry(finding.rule.clone()).or_default() += 1,
                Some(Applicability::Unsafe) => {
                    tally.unsafe_fixes += 1;
                    let saving = finding.estimate.as_ref().map(|one| one.saving);
                    tally.leave_out(finding.rule.clone(), 1, saving);
                }
                Some(Applicability::Suggestion) | None => tally.suggestions += 1,
                Some(Applicability::Safe) => {}
            }
        }
        tally
    }

    /// Adds the counts of other files.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.changed += other.changed;
        self.findings += other.findings;
        for (rule, count) in other.fixes {
            *self.fixes.entry(rule).or_default() += count;
        }
        self.unsafe_fixes += other.unsafe_fixes;
        self.saving = [self.saving, other.saving]
            .into_iter()
            .flatten()
            .reduce(Saving::and);
        self.unsafe_saving = [self.unsafe_saving, other.unsafe_saving]
            .into_iter()
            .flatten()
            .reduce(Saving::and);
        for (rule, (count, saving)) in other.not_included {
            self.leave_out(rule, count, saving);
        }
        self.declined += other.declined;
        self.suggestions += other.suggestions;
        self.withheld += other.withheld;
        self.refused += other.refused;
        self.errors += other.errors;
    }

    fn leave_out(&mut self, rule: String, count: usize, saving: Option<Saving>) {
        let (known, saved) = self.not_included.entry(rule).or_default();
        *known += count;
        *saved = [*saved, saving].into_iter().flatten().reduce(Saving::and);
    }

    /// Fixes that are in the output.
    pub fn applied(&self) -> usize {
        self.fixes.values().sum()
    }
}
