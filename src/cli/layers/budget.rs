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
pub(super) struct Limits {
    budget: Budget,
    dockerfile: Option<String>,
}

/// The budget for the images of that Dockerfile, else for those of the current folder.
pub(super) fn near(dockerfile: Option<&Path>) -> Result<Limits> {
    let here = std::env::current_dir()?;
    let near = dockerfile.unwrap_or(Path::new("Dockerfile"));
    let Some((path, config)) = chains::nearest_config(&here, near)? else {
        bail!("`--check` needs a budget, and there is no dockeropt.toml");
    };
    if config.budget.is_empty() {
        bail!(
            "`--check` needs a budget, and there is no `[budget]` in {}",
            path.display()
        );
    }
    let folder = here
        .join(path)
        .parent()
        .map(PathBuf::from)
        .unwrap_or_default();
    let inside = dockerfile.and_then(|file| {
        let file = walk::absolute(&here, file);
        let inside = file.strip_prefix(folder).ok()?;
        Some(inside.to_str()?.replace('\\', "/"))
    });
    Ok(Limits {
        budget: config.budget,
        dockerfile: inside,
    })
}

impl Limits {
    /// Says what the image exceeds, a line each.
    pub(super) fn check(&self, analysis: &Analysis, output: &mut Output) -> Status {
        let exceeded = self.budget.exceeded(&Measured {
            dockerfile: self.dockerfile.as_deref(),
            image: analysis.image.as_deref(),
            size: analysis.size,
            wasted: analysis.wasted,
            efficiency: analysis.efficiency,
        });
        output.flush();
        for one in &exceeded {
            output.error(&said(one, analysis));
        }
        match exceeded.is_empty() {
            true => Status::Done,
            false => Status::Found,
        }
    }
}

fn said(excess: &Excess, analysis: &Analysis) -> String {
    let image = analysis.image.as_deref().unwrap_or("the image");
    match excess {
        Excess::Size(key, most) => format!(
            "{}: `{image}` has {}, over the budget of {} for `{key}`",
            most.place,
            exact(analysis.size),
            exact(most.value)
        ),
        Excess::Wasted(most) => format!(
            "{}: `{image}` wastes {}, over the budget of {}",
            most.place,
            exact(analysis.wasted),
            exact(most.value)
        ),
        Excess::Efficiency(least) => format!(
            "{}: `{image}` has an efficiency of {}, under the {} that the budget asks for",
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
