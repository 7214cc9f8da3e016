//! What a change of a file costs on each side, built: in a copy of the context, which stays as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::lab::{Lab, Recipe};
use super::trial::{Rewrite, Trial};
use crate::context::ignore::Ignore;
use crate::model::Model;
use crate::pass::touched::typical;
use crate::syntax::Dockerfile;
use crate::verify::{Rebuilt, Steps};

/// Builds both sides again after a change of each file that the command line names, or of a typical one.
pub(super) fn rebuilds(trial: &Trial, lab: &Lab<'_>, rewrite: &Rewrite) -> Result<Vec<Rebuilt>> {
    let mut touched = Vec::new();
    for path in &lab.how.touch {
        touched.push(in_context(trial.context(), path)?);
    }
    if lab.how.rebuild && touched.is_empty() {
        touched.extend(source_file(trial));
    }
    let mut rebuilds = Vec::new();
    for file in touched {
        rebuilds.push(rebuilt(trial, lab, rewrite, file)?);
    }
    Ok(rebuilds)
}

/// The files of a context, as paths in it; neither what is behind a symlink nor what is no file.
pub(super) fn files(context: &Path) -> impl Iterator<Item = String> + '_ {
    let mut walk = ignore::WalkBuilder::new(context);
    let found = walk.standard_filters(false).follow_links(false).build();
    let files = found.filter_map(Result::ok).filter(|entry| {
        let kind = entry.file_type();
        kind.is_some_and(|kind| kind.is_file())
    });
    files.filter_map(move |entry| {
        let path = entry.path().strip_prefix(context).ok()?;
        Some(path.to_str()?.to_owned())
    })
}

fn rebuilt(trial: &Trial, lab: &Lab<'_>, rewrite: &Rewrite, file: String) -> Result<Rebuilt> {
    let copy = copied(trial.context(), &trial.located.ignore_text())?;
    let ignore = trial.located.ignore_text();
    let title = trial.title(&format!("after a change of {file}"));
    let before = Recipe {
        context: copy.path(),
        ..trial.recipe(&ignore, &title)
    };
    let after = Recipe {
        context: copy.path(),
        ..trial.rewritten(rewrite, &title)
    };
    let path = copy.path().join(&file);
    let text = fs::read(&path).with_context(|| format!("`{file}` is ignored"))?;
    // Each side gets a change of its own: what the one ran is not in the cache for the other.
    let steps = |recipe: &Recipe<'_>| -> Result<Steps> {
        fs::write(&path, [text.as_slice(), &blanks()].concat())?;
        let made = lab.build(recipe, false)??;
        Ok(Steps {
            ran: made.built.ran(),
            all: made.built.steps.len(),
            seconds: made.built.seconds,
        })
    };
    Ok(Rebuilt {
        before: steps(&before)?,
        after: steps(&after)?,
        file,
    })
}

/// What most languages pass over at the end of a file: blank lines, of a number and kind that no cache has seen.
fn blanks() -> Vec<u8> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_micros();
    let line = |bit: u32| match (now >> bit) & 1 {
        0 => b"\n".as_slice(),
        _ => b" \n",
    };
    (0..40).flat_map(line).copied().collect()
}

/// A source file whose change is typical of work on the project.
fn source_file(trial: &Trial) -> Option<String> {
    let disk = trial.located.disk.as_ref()?;
    let file = Dockerfile::parse(&trial.source.text);
    let model = Model::of(&file, &trial.source.text, &trial.located.input);
    let ignore = Ignore::parse(&trial.located.ignore_text()).ok()?;
    typical(&model, disk, &ignore).source
}

fn in_context(context: &Path, path: &Path) -> Result<String> {
    let shown = path.display();
    let real = path.canonicalize().with_context(|| format!("`{shown}`"))?;
    let root = context.canonicalize()?;
    let Some(inside) = real.strip_prefix(&root).ok().and_then(Path::to_str) else {
        bail!(
            "`{shown}` is not in the build context `{}`",
            context.display()
        );
    };
    Ok(inside.to_owned())
}

/// A copy of what the context hands out: files with their modes, symlinks as they are.
fn copied(context: &Path, ignore: &[u8]) -> Result<TempDir> {
    let copy = TempDir::new().context("no temporary folder")?;
    let ignore = Ignore::parse(ignore).unwrap_or_default();
    let mut walk = ignore::WalkBuilder::new(context);
    walk.standard_filters(false).follow_links(false);
    for entry in walk.build() {
        let entry = entry?;
        let Ok(inside) = entry.path().strip_prefix(context) else {
            continue;
        };
        let to = copy.path().join(inside);
        let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        if is_directory {
            fs::create_dir_all(&to)?;
        } else if !inside.to_str().is_some_and(|path| ignore.ignores(path)) {
            copy_file(entry.path(), &to)?;
        }
    }
    Ok(copy)
}

fn copy_file(from: &Path, to: &PathBuf) -> Result<()> {
    let kind = from.symlink_metadata()?.file_type();
    if kind.is_file() {
        fs::copy(from, to)?;
    }
    #[cfg(unix)]
    if kind.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
    }
    Ok(())
}
