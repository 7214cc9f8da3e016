//! `dockeropt verify`: builds a Dockerfile as it is and as the rules would have it, and compares the two images.
//!
//! Never writes to the build context, and leaves no image and no container behind but those of `--keep`.

pub(super) mod answer;
mod bisect;
mod lab;
mod rebuild;
mod trial;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::Status;
use super::inputs::{Files, Selection};
use super::output::Output;
use super::progress::Progress;
use crate::engine::{self, Choice};
use crate::render::verified;
use crate::rule::Applicability;
use crate::verify::{Outcome, Verified};

pub(super) use lab::{Lab, Recipe};
pub(super) use trial::Trial;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dockerfiles, and folders that hold some
    #[arg(value_name = "FILE", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// The build context of these Dockerfiles
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Include unsafe fixes
    #[arg(long = "unsafe")]
    include_unsafe: bool,
    /// Compare with this Dockerfile in place of what the rules make: nothing may differ
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// How images are built and tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub(super) struct How {
    /// The container engine
    #[arg(long, value_enum, default_value_t)]
    pub(super) engine: Choice,
    /// Run this command in both images: it must end and print the same
    #[arg(long, value_name = "CMD", conflicts_with = "http")]
    pub(super) smoke: Option<String>,
    /// Start both images and fetch this page: it must be the same
    #[arg(long, value_name = "PORT/PATH")]
    pub(super) http: Option<String>,
    /// Build both again after a change of this file, and say which steps run
    #[arg(long, value_name = "PATH")]
    pub(super) touch: Vec<PathBuf>,
    /// The same after a change of a typical source file
    #[arg(long)]
    pub(super) rebuild: bool,
    /// The stage to build
    #[arg(long, value_name = "STAGE")]
    pub(super) target: Option<String>,
    /// A build argument
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    pub(super) build_args: Vec<String>,
    /// A named context: a directory, or an image as `docker-image://NAME`
    #[arg(long = "build-context", value_name = "NAME=VALUE")]
    pub(super) build_contexts: Vec<String>,
    /// The network of RUN steps
    #[arg(long, value_name = "NETWORK")]
    pub(super) network: Option<String>,
    /// Leave the image of a `# syntax=` line out: nothing is pulled for it
    #[arg(long)]
    pub(super) offline: bool,
    /// Keep the images and say what they are called
    #[arg(long)]
    pub(super) keep: bool,
    /// Count the vulnerabilities of both images with Trivy
    #[arg(long)]
    pub(super) scan: bool,
}

/// How the result is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    #[default]
    #[value(alias = "human")]
    Text,
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// Verifies each file in turn. 0: all verified; 1: a difference that no effect declares, or a budget exceeded; 2: one
/// could not be built.
pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let files = Files {
        paths: args.paths.clone(),
        selection: args.selection.clone(),
        context: args.context.clone(),
        only_changed: None,
        force_exclude: false,
        stdin_filename: None,
    };
    if files.is_stdin() {
        bail!("`-` cannot be built: name a file");
    }
    answer::check(&args.how)?;
    interruptible()?;
    let engine = engine::find_builder(args.how.engine)?;
    let progress = Progress::new();
    let allow = match args.include_unsafe {
        true => Applicability::Unsafe,
        false => Applicability::Safe,
    };
    let (trials, errors) = Trial::all(&files, allow)?;
    let mut worst = Status::Done;
    for error in &errors {
        output.path_error(error);
        worst = Status::Error;
    }
    let mut results = Vec::new();
    for mut trial in trials {
        if let Some(against) = &args.against {
            trial.replace(against)?;
        }
        let how = trial.complete(&args.how);
        let lab = Lab::new(engine.as_ref(), &how, &progress);
        let outcome = trial.outcome(&lab);
        let outcome = outcome.with_context(|| trial.path().display().to_string())?;
        worst = worse(worst, status(&outcome));
        results.push(Verified {
            path: trial.path().to_owned(),
            outcome,
            left_out: Vec::new(),
        });
    }
    let shown = match args.format {
        Shape::Text => verified::human(&results, output.look),
        Shape::Markdown => verified::markdown(&results),
        Shape::Json => verified::json(&engine.name(), &results),
    };
    output.print(shown.as_bytes());
    Ok(worst)
}

/// Makes Ctrl-C stop the engine's command, and what was made go before the end.
///
/// # Errors
/// Where the system has no such handler.
pub(super) fn interruptible() -> Result<()> {
    ctrlc::set_handler(engine::interrupt).context("Ctrl-C")
}

fn status(outcome: &Outcome) -> Status {
    match outcome {
        Outcome::NotBuilt(_) => Status::Error,
        Outcome::Tried(tried) if tried.after.is_none() => Status::Error,
        outcome if outcome.is_verified() => Status::Done,
        _ => Status::Found,
    }
}

fn worse(one: Status, other: Status) -> Status {
    let rank = |status| match status {
        Status::Done => 0,
        Status::Found => 1,
        Status::Error => 2,
    };
    match rank(one) >= rank(other) {
        true => one,
        false => other,
    }
}
