//! Which files a run is about, as the command line says.

pub(super) mod changed;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::chains::Chains;
use crate::config::Taken;
use crate::context::locate::inline;
use crate::text::Source;
use crate::walk::{self, Found, PathError};

/// What standard input is called.
const UNNAMED: &str = "<stdin>";

/// The files of a run, and the rules that run on them.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Files {
    /// Dockerfiles, and folders that hold some; `-` is one Dockerfile on standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) selection: Selection,
    /// The build context of these Dockerfiles
    #[arg(long, value_name = "DIR")]
    pub(super) context: Option<PathBuf>,
    /// Only files that differ from this commit, or that git does not know; HEAD where none is named
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD")]
    pub(super) only_changed: Option<String>,
    /// Leave out what `exclude` names even where it is named here, as hooks do
    #[arg(long)]
    pub(super) force_exclude: bool,
    /// The path that standard input is taken to have
    #[arg(long, value_name = "PATH")]
    pub(super) stdin_filename: Option<PathBuf>,
}

/// The rules of a run.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Selection {
    /// Run only these rules
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    pub(super) select: Option<Vec<String>>,
    /// Leave out these rules
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
}

/// A Dockerfile of the run.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// Standard input, under that path.
    Stdin(PathBuf),
    /// A file.
    File(Found),
    /// A compose file with Dockerfiles in it.
    Compose(Found),
}

impl Files {
    /// Whether the run is about standard input.
    pub(super) fn is_stdin(&self) -> bool {
        self.paths.iter().any(|path| path == Path::new("-"))
    }

    /// The Dockerfiles in path order, and the paths that could not be looked at.
    pub(super) fn inputs(&self, chains: &mut Chains) -> Result<(Vec<Input>, Vec<PathError>)> {
        if !self.is_stdin() {
            let (mut found, mut errors) = dockerfiles(&self.paths, chains);
            if self.force_exclude {
                found.retain(|found| !is_excluded(&found.target, chains, &mut errors));
            }
            if let Some(name) = &self.only_changed {
                let (differ, more) = changed::changed(found, name);
                found = differ;
                errors.extend(more);
            }
            return Ok((found.into_iter().map(Input::of).collect(), errors));
        }
        if self.paths.len() > 1 {
            bail!("`-` stands alone: standard input cannot be mixed with other paths");
        }
        if self.only_changed.is_some() {
            bail!("`-` is no file that `--only-changed` could compare with a commit");
        }
        let path = self.stdin_filename.clone();
        let path = path.unwrap_or_else(|| PathBuf::from(UNNAMED));
        Ok((vec![Input::Stdin(path)], Vec::new()))
    }

    /// The same without those inside compose files, for what works on whole files; one that is named is an error.
    pub(super) fn dockerfiles(&self, chains: &mut Chains) -> Result<(Vec<Input>, Vec<PathError>)> {
        let (mut inputs, mut errors) = self.inputs(chains)?;
        inputs.retain(|input| {
            let is_named = match input {
                Input::Compose(found) => self.paths.contains(&found.path),
                _ => self.is_stdin(),
            };
            if is_named && input.is_compose() {
                let message = "Dockerfiles inside compose files are left alone here";
                errors.push(PathError::new(input.path(), message));
            }
            !input.is_compose()
        });
        Ok((inputs, errors))
    }
}

/// The Dockerfiles at and below `paths`: in folders names decide, and what is configured.
pub(super) fn dockerfiles(paths: &[PathBuf], chains: &mut Chains) -> (Vec<Found>, Vec<PathError>) {
    walk::dockerfiles(paths, &mut |path| {
        Ok(match chains.takes(path)? {
            Taken::Included => true,
            Taken::Excluded => false,
            Taken::ByName => path.file_name().is_some_and(walk::is_dockerfile) || holds_some(path),
        })
    })
}

fn is_excluded(path: &Path, chains: &mut Chains, errors: &mut Vec<PathError>) -> bool {
    let taken = chains.takes(path);
    let taken = taken.map_err(|error| errors.push(error));
    taken == Ok(Taken::Excluded)
}

/// Whether the file at `path` is a compose file that may hold Dockerfiles.
fn holds_some(path: &Path) -> bool {
    let text = || walk::read_regular(path).ok();
    let mentions = |text: Vec<u8>| {
        let mut places = text.windows(inline::KEY.len());
        places.any(|place| place == inline::KEY.as_bytes())
    };
    is_compose(path) && text().is_some_and(mentions)
}

fn is_compose(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| inline::is_compose(&name))
}

impl Input {
    /// A file by its name.
    fn of(found: Found) -> Self {
        match is_compose(&found.target) {
            true => Self::Compose(found),
            false => Self::File(found),
        }
    }

    /// The text that an editor holds for the file at `path`; without one, it has no place yet.
    pub(super) fn unsaved(path: Option<PathBuf>) -> Self {
        Self::Stdin(path.unwrap_or_else(|| PathBuf::from(UNNAMED)))
    }

    /// Whether it is a compose file, with Dockerfiles in it.
    pub(super) fn is_compose(&self) -> bool {
        match self {
            Self::Stdin(path) => is_compose(path),
            Self::File(_) => false,
            Self::Compose(_) => true,
        }
    }

    /// The path that reports name.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Stdin(path) => path,
            Self::File(found) | Self::Compose(found) => &found.path,
        }
    }

    /// The path of the file, or that of standard input if it has been given one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdin(path) if path == Path::new(UNNAMED) => None,
            Self::Stdin(path) => Some(path),
            Self::File(found) | Self::Compose(found) => Some(&found.path),
        }
    }

    /// The path of the file itself: patches do not go through symlinks.
    pub(super) fn target(&self) -> &Path {
        match self {
            Self::Stdin(path) => path,
            Self::File(found) | Self::Compose(found) => &found.target,
        }
    }

    /// The file's bytes.
    pub(super) fn read(&self) -> Result<Source, PathError> {
        match self {
            Self::Stdin(path) => walk::read_stdin(path.clone()),
            Self::File(found) | Self::Compose(found) => walk::read(found),
        }
    }
}
