//! `dockeropt explain`: why a rule exists and what it does, or what the rules, the build cache or the history make of a
//! file and why.

mod cache;
mod history;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::chains::Chains;
use super::inputs;
use super::output::Output;
use super::run::{self, Done};
use super::{Format, Status};
use crate::render::{Look, explain};
use crate::rule::Applicability;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A rule's id, or a Dockerfile
    #[arg(value_name = "RULE|FILE")]
    subject: String,
    #[command(flatten)]
    selection: inputs::Selection,
    /// The build context of the Dockerfile
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Say what makes each step of the Dockerfile run again
    #[arg(long)]
    cache: bool,
    /// A file that changed: say which steps run again
    #[arg(long, value_name = "PATH", requires = "cache")]
    touch: Vec<PathBuf>,
    /// Say after how many of the last N commits (200) each step would have run again, before and after the fixes
    #[arg(long, value_name = "N", conflicts_with = "cache", num_args = 0..=1, default_missing_value = "200")]
    history: Option<NonZeroUsize>,
    /// Include unsafe fixes in what comes after
    #[arg(long = "unsafe", requires = "history")]
    include_unsafe: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t, requires = "history")]
    format: Format,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let subject = &args.subject;
    let chain = Chains::here(&args.selection)?;
    if let Some(rule) = chain.rules().iter().find(|rule| rule.id == *subject) {
        output.print(&explain::rule(rule, output.look));
        return Ok(Status::Done);
    }
    if subject != "-" && !Path::new(subject).exists() {
        bail!("`{subject}` is neither a rule nor a file; `dockeropt rules` lists the rules");
    }
    let files = inputs::Files {
        paths: vec![PathBuf::from(subject)],
        selection: args.selection.clone(),
        context: args.context.clone(),
        only_changed: None,
        force_exclude: false,
        stdin_filename: None,
    };
    if args.cache {
        return cache::run(&files, &args.touch, output);
    }
    if let Some(most) = args.history {
        let asked = history::Asked {
            most: most.get(),
            include_unsafe: args.include_unsafe,
            format: args.format,
        };
        return history::run(&files, &asked, output);
    }
    explain_file(&files, output)
}

fn explain_file(files: &inputs::Files, output: &mut Output) -> Result<Status> {
    let show = |done: &Done<'_>, look: Look| {
        Ok(explain::file(&done.report, &done.context, look).into_bytes())
    };
    run::show(files, Applicability::Unsafe, true, &show, output)
}
