//! Which Dockerfile of a run writes which file of a build context: the first one in path order, and no other.
//!
//! Two Dockerfiles may share a context, and each run of the chain sees the context as it is on disk. What the second one
//! would write is left to the next run, which sees what the first one wrote.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::run::Done;
use crate::report::{Decline, Finding};
use crate::walk::PathError;

/// The files that are spoken for, each with the Dockerfile that writes it.
#[derive(Default)]
pub(super) struct Claims {
    files: HashMap<PathBuf, PathBuf>,
}

impl Claims {
    /// Takes from a report the fixes that write what another Dockerfile writes.
    ///
    /// # Errors
    /// Where such a fix changes the Dockerfile too: the report cannot be used in part.
    pub(super) fn settle(&mut self, done: &mut Done<'_>) -> Result<(), PathError> {
        let Some(root) = done.root.clone() else {
            return Ok(());
        };
        let own = done.input.target().to_owned();
        let mut kept = Vec::new();
        for finding in std::mem::take(&mut done.report.findings) {
            let Some(owner) = self.owner(&finding, &root, &own) else {
                kept.push(finding);
                continue;
            };
            let owner = owner.display();
            let reason = format!("`{owner}` writes the same file in this run: run again");
            if finding
                .fix
                .as_ref()
                .is_some_and(|fix| !fix.patch.is_empty())
            {
                return Err(PathError::new(done.input.path(), reason));
            }
            done.report.declined.push(Decline {
                rule: finding.rule,
                span: finding.span,
                reason,
            });
        }
        done.report.findings = kept;
        done.report.declined.sort_by_key(|decline| decline.span);
        Ok(())
    }

    /// The other Dockerfile that writes a file of an applied finding; if there is none, its files are spoken for.
    fn owner(&mut self, finding: &Finding, root: &Path, own: &Path) -> Option<PathBuf> {
        let fix = finding.fix.as_ref().filter(|_| finding.applied)?;
        let paths = || fix.files.iter().map(|(path, _)| root.join(path));
        let mut owners = paths().filter_map(|path| self.files.get(&path));
        if let Some(owner) = owners.find(|owner| *owner != own) {
            return Some(owner.clone());
        }
        self.files
            .extend(paths().map(|path| (path, own.to_owned())));
        None
    }
}
