//! Holds an image against the budget of the nearest `dockeropt.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::super::Status;
use super::super::chains;
use super::super::output::Output;
use crate::config::{Budget, Excess, Measured};
use crate::image::Analysis;
use crate::render::layers::{bytes, percent};
use crate::walk;

/// A budget, and the Dockerfile's path as its keys have it.
pub(in crate::cli) struct Limits {
    budget: Budget,
    dockerfile: Option<String>,
}

/// The budget for the images of that Dockerfile, else for those of the current folder; there must be one.
pub(super) fn near(dockerfile: Option<&Path>) -> Result<Limits> {
    let limits = nearest(dockerfile)?;
    let Some((limits, path)) = limits else {
        bail!("`--check` needs a budget, and there is no dockeropt.toml");
    };
    if limits.budget.is_empty() {
        bail!(
            "`--check` needs a budget, and there is no `[budget]` in {}",
            path.display()
        );
    }
    Ok(limits)
}

/// The same with the path of its file, where there is one; it may allow everything.
pub(in crate::cli) fn nearest(dockerfile: Option<&Path>) -> Result<Option<(Limits, PathBuf)>> {
    let here = std::env::current_dir()?;
    let near = dockerfile.unwrap_or(Path::new("Dockerfile"));
    let Some((path, config)) = chains::nearest_config(&here, near)? else {
        return Ok(None);
    };
    let folder = here
        .join(&path)
        .parent()
        .map(PathBuf::from)
        .unwrap_or_default();
    let inside = dockerfile.and_then(|file| {
        let file = walk::absolute(&here, file);
        let inside = file.strip_prefix(folder).ok()?;
        Some(inside.to_str()?.replace('\\', "/"))
    });
    let limits = Limits {
        budget: config.budget,
        dockerfile: inside,
    };
    Ok(Some((limits, path)))
}

impl Limits {
    /// Says what the image exceeds, a line each.
    pub(super) fn check(&self, analysis: &Analysis, output: &mut Output) -> Status {
        let exceeded = self.exceeded(analysis);
        output.flush();
        for one in &exceeded {
            output.error(one);
        }
        match exceeded.is_empty() {
            true => Status::Done,
            false => Status::Found,
        }
    }

    /// What the image exceeds, a line each.
    pub(in crate::cli) fn exceeded(&self, analysis: &Analysis) -> Vec<String> {
        let exceeded = self.budget.exceeded(&Measured {
            dockerfile: self.dockerfile.as_deref(),
            image: analysis.image.as_deref(),
            size: analysis.size,
            wasted: analysis.wasted,
            efficiency: analysis.efficiency,
        });
        let lines = exceeded.iter().map(|one| said(one, analysis));
        lines.collect()
    }
}

fn said(excess: &Excess, analysis: &Analysis) -> String {
    let image = match &analysis.image {
        Some(name) => format!("`{name}`"),
        None => "the image".to_owned(),
    };
    match excess {
        Excess::Size(key, most) => format!(
            "{}: {image} has {}, over the budget of {} for `{key}`",
            most.place,
            exact(analysis.size),
            exact(most.value)
        ),
        Excess::Wasted(most) => format!(
            "{}: {image} wastes {}, over the budget of {}",
            most.place,
            exact(analysis.wasted),
            exact(most.value)
        ),
        Excess::Efficiency(least) => format!(
            "{}: {image} has an efficiency of {}, under the {} that the budget asks for",
            least.place,
            percent(analysis.efficiency),
            percent(least.value)
        ),
    }
}

/// Two sizes that differ by little look different.
fn exact(size: u64) -> String {
    format!("{size} bytes ({})", bytes(size))
}
