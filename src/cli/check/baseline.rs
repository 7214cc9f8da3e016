//! `check --baseline` and `--write-baseline`: findings that are known, and not shown.
//!
//! Findings of a Dockerfile that is not below the folder of the baseline are never in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::super::chains;
use super::super::run::Done;
use super::super::write::{self, Change};
use crate::render::baseline::{self, Known};
use crate::render::human;
use crate::walk::{self, PathError};

pub(super) struct Baseline {
    path: PathBuf,
    here: PathBuf,
    /// Where it is, absolute.
    folder: PathBuf,
    known: BTreeSet<Known>,
    /// What the run finds, known or not.
    found: BTreeSet<Known>,
    /// The files of the run.
    files: BTreeSet<String>,
    /// A file of the run that is not below the folder.
    outside: Option<PathBuf>,
}

impl Baseline {
    /// The baseline at `path`, which is there.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = walk::read_regular(path)?;
        let known = baseline::read(&text).map_err(|error| PathError::new(path, error))?;
        Ok(Self {
            known,
            ..Self::empty(path)?
        })
    }

    /// The baseline that the configuration of the current folder names.
    pub(super) fn configured() -> Result<Option<Self>> {
        let here = std::env::current_dir()?;
        // What is wrong with a configuration is said where it is one of the run's.
        let nearest = chains::nearest_config(&here, Path::new("Dockerfile"));
        let config = nearest.ok().flatten().map(|(_, config)| config);
        let Some(named) = config.and_then(|config| config.baseline) else {
            return Ok(None);
        };
        let path = walk::from_here(&here, walk::absolute(&here, &named.path()));
        let read = Self::read(&path);
        Ok(Some(
            read.with_context(|| format!("{}: `baseline`", named.place))?,
        ))
    }

    /// A baseline that is going to be at `path`.
    pub(super) fn empty(path: &Path) -> Result<Self> {
        let here = std::env::current_dir()?;
        let mut folder = walk::absolute(&here, path);
        folder.pop();
        Ok(Self {
            path: path.to_owned(),
            here,
            folder,
            known: BTreeSet::new(),
            found: BTreeSet::new(),
            files: BTreeSet::new(),
            outside: None,
        })
    }

    /// Takes what is known from a report.
    pub(super) fn narrow(&mut self, done: &mut Done<'_>) {
        let report = &done.report;
        let path = walk::absolute(&self.here, &report.source.path);
        let Ok(path) = path.strip_prefix(&self.folder) else {
            self.outside = Some(report.source.path.clone());
            return;
        };
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let path = parts.join("/");
        let found = baseline::known(report, &path);
        let mut is_new = found.iter().map(|one| !self.known.contains(one));
        done.keep(|_| is_new.next().unwrap_or(true));
        self.found.extend(found);
        self.files.insert(path);
    }

    /// Writes what was found.
    pub(super) fn write(&self) -> Result<String> {
        if let Some(path) = &self.outside {
            bail!(
                "the baseline is not written: `{}` is not below its folder",
                path.display()
            );
        }
        let before = match self.path.symlink_metadata() {
            Ok(_) => Some(walk::read_regular(&self.path)?),
            Err(_) => None,
        };
        if self.path.is_symlink() {
            bail!(
                "`{}` is a symlink, which is not written through",
                self.path.display()
            );
        }
        write::write(&[Change {
            path: self.path.clone(),
            before,
            after: baseline::write(&self.found).into_bytes(),
        }])?;
        let findings = human::count(self.found.len(), "finding");
        Ok(format!("{findings} written to {}\n", self.path.display()))
    }

    /// How many findings are not shown, and how many of the baseline are no more. Where not all rules ran, nobody knows
    /// the latter.
    pub(super) fn summary(&self, all_rules: bool) -> String {
        let path = self.path.display();
        let hidden = self.known.intersection(&self.found).count();
        let mut out = String::new();
        if hidden > 0 {
            let findings = human::count(hidden, "finding");
            out.push_str(&format!("{findings} not shown: in the baseline {path}\n"));
        }
        let gone = self.known.difference(&self.found);
        let gone = gone
            .filter(|one| self.files.contains(&one.path) || !self.folder.join(&one.path).exists());
        let gone = gone.count();
        if gone > 0 && all_rules {
            let findings = human::count(gone, "finding");
            out.push_str(&format!(
                "{findings} of the baseline are no more: `--write-baseline {path}` drops them\n"
            ));
        }
        out
    }
}
