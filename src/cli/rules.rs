//! `dockeropt rules`: the table of all rules, as the current folder's configuration leaves them.

use anyhow::Result;

use super::chains::Chains;
use super::inputs::Selection;
use super::output::Output;
use super::{Format, Status};
use crate::render::{human, json};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let chain = Chains::here(&args.selection)?;
    let rules = chain.rules();
    let text = match args.format {
        Format::Text => human::rules(rules, output.look),
        Format::Json => json::rules(rules),
    };
    output.print(text.as_bytes());
    Ok(Status::Done)
}
