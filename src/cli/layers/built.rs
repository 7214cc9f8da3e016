//! The image of a Dockerfile: built to be looked at, and removed.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::super::contexts::Contexts;
use super::super::inputs::Input;
use super::super::progress::Progress;
use super::super::verify::{How, Lab, Recipe, interruptible};
use super::Args;
use crate::engine;
use crate::image::Image;
use crate::walk;

/// Builds the Dockerfile at `path` and reads the image, and which stage that is, where it is not the last.
pub(super) fn read(args: &Args, path: &Path) -> Result<(Image, Option<String>)> {
    let shown = path.display().to_string();
    interruptible()?;
    let engine = engine::find_builder(args.engine)?;
    let by_name = |path: &Path| path.file_name().is_some_and(walk::is_dockerfile);
    let (found, errors) = walk::dockerfiles(&[path.to_owned()], &mut |path| Ok(by_name(path)));
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let Some(found) = found.into_iter().next() else {
        bail!("`{shown}` is no Dockerfile");
    };
    let input = Input::File(found);
    let source = input.read()?;
    let located = Contexts::new(args.context.as_deref())?.of(&input);
    let located = located.context(&source.text);
    let Some(disk) = &located.disk else {
        bail!("{shown}: {}", located.how);
    };
    let how = How {
        engine: args.engine,
        target: args.target.clone(),
        build_args: args.build_args.clone(),
        build_contexts: args.build_contexts.clone(),
        network: args.network.clone(),
        offline: args.offline,
        ..How::default()
    };
    let (how, notes) = located.as_built.complete(&how);
    let progress = Progress::new();
    let lab = Lab::new(engine.as_ref(), &how, &progress);
    let recipe = Recipe {
        dockerfile: &source.text,
        ignore: &located.ignore_text(),
        context: disk.root(),
        title: &format!("building {shown}"),
        provenance: true,
    };
    let made = lab.build(&recipe, false)?.context(shown.clone())?;
    let mut image = lab.read(&made)?;
    image.name = Some(shown);
    image.notes.extend(notes);
    if let Some(provenance) = &made.built.provenance {
        image.attested(provenance);
    }
    Ok((image, how.target.clone()))
}
