//! What a package of dockeropt installs beside the program: completions of the shells, manual pages.
//!
//! Both are made from the arguments themselves, so that they cannot say anything else than `--help` does.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::Status;
use super::output::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Write a page for each command into this folder, which must exist; without it, the page of dockeropt is printed
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// Prints the script with which the shell completes commands, options and their values.
pub(super) fn completions(args: &Completions, output: &mut Output) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "dockeropt", &mut script);
    output.print(&script);
    Status::Done
}

/// Prints the manual page, or writes those of all commands.
pub(super) fn man(args: &Man, output: &mut Output) -> Result<Status> {
    match &args.to {
        Some(folder) => clap_mangen::generate_to(command(), folder)
            .with_context(|| format!("manual pages cannot be written to `{}`", folder.display()))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command()).render(&mut page)?;
            output.print(&page);
        }
    }
    Ok(Status::Done)
}

fn command() -> Command {
    super::Args::command()
}
