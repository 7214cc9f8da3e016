//! `dockeropt layers`: what the layers of an image hold, what of it is wasted, and by which lines.

pub(super) mod budget;
mod built;
mod lines;
mod subject;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::Status;
use super::output::Output;
use crate::engine;
use crate::image::Choice;
use crate::render::layers as render;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An image of the container engine, a folder or archive with an OCI layout, or an archive of `docker save`; `-` is
    /// an archive on standard input; of a Dockerfile the image is built, and removed at the end
    #[arg(value_name = "IMAGE|PATH")]
    subject: String,
    /// The Dockerfile that built it: says which lines made which layer
    #[arg(long, value_name = "FILE")]
    dockerfile: Option<PathBuf>,
    /// The stage of the Dockerfile that was or is built, if not the last
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// The build context of the Dockerfile that is built
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// A build argument of the Dockerfile that is built
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// A named context of the Dockerfile that is built
    #[arg(long = "build-context", value_name = "NAME=VALUE")]
    build_contexts: Vec<String>,
    /// The network of its RUN steps
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// Leave the image of its `# syntax=` line out: nothing is pulled for it
    #[arg(long)]
    offline: bool,
    /// Fail where the image exceeds the budget in dockeropt.toml
    #[arg(long)]
    check: bool,
    /// Which image, where an archive holds several
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The image for this platform, where there are several
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// The container engine that holds the image
    #[arg(long, value_enum, default_value_t)]
    engine: engine::Choice,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    #[value(alias = "human")]
    Text,
    Json,
    /// A page that needs nothing else
    Html,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let own = subject::dockerfile(&args.subject);
    let dockerfile = args.dockerfile.as_deref().or(own);
    let budget = match args.check {
        true => Some(budget::near(dockerfile)?),
        false => None,
    };
    let choice = Choice {
        name: args.name.clone(),
        platform: args.platform.clone(),
    };
    let (mut image, target) = match own {
        Some(path) => built::read(args, path)?,
        None => {
            let image = subject::read(&args.subject, args.engine, &choice)?;
            (image, args.target.clone())
        }
    };
    if let Some(path) = dockerfile {
        let written = lines::written(path, target.as_deref())?;
        let placed = image.place_steps(&written);
        // What was built here is that Dockerfile's, whatever the history records.
        if let (Err(why), false) = (placed, own.is_some() && image.is_attested()) {
            output.warn(&format!(
                "the Dockerfile is not the one that built the image: {why}"
            ));
        }
    }
    let analysis = image.analyze();
    // Of a large image much is kept, which nobody needs any more.
    drop(image);
    let text = match args.format {
        Format::Text => render::human(&analysis, output.look),
        Format::Json => render::json(&analysis),
        Format::Html => render::html::page(&analysis),
    };
    output.print(text.as_bytes());
    match budget {
        Some(budget) => Ok(budget.check(&analysis, output)),
        None => Ok(Status::Done),
    }
}
