//! The command line: the only part that prints.
//!
//! Standard output holds what was asked for (a patch, findings, JSON) and nothing else; what is to be said about the
//! run goes to standard error.

mod as_built;
mod chains;
mod changes;
mod check;
mod claims;
mod compose;
mod config;
mod contexts;
mod explain;
mod fix;
mod init;
mod inputs;
mod layers;
mod lsp;
mod output;
mod packaging;
mod progress;
mod rules;
mod run;
mod schema;
mod verify;
mod write;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use output::Output;

/// Rewrites Dockerfiles: smaller images, faster rebuilds, nothing broken.
#[derive(Debug, Parser)]
#[command(name = "dockeropt", version, max_term_width = 100, after_help = STATUSES)]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// When to use colours; `auto` also minds NO_COLOR, CLICOLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what would change as a patch, or change it
    Fix(fix::Args),
    /// List findings, one a line
    Check(check::Args),
    /// Show what is configured for a file, and where each value comes from
    Config(config::Args),
    /// List the rules
    Rules(rules::Args),
    /// Say why a rule exists and what it does, or what every rule makes of a file
    Explain(explain::Args),
    /// Write a `dockeropt.toml` with comments, and print what goes into hooks and CI
    Init(init::Args),
    /// Print the JSON schema of `dockeropt.toml`
    Schema,
    /// Serve an editor: diagnostics, fixes and hovers over standard input and output
    Lsp(lsp::Args),
    /// Show the layers of an image, what they waste, and the lines that made them
    Layers(layers::Args),
    /// Build Dockerfiles before and after their fixes, and compare the images
    Verify(verify::Args),
    /// Print the script with which a shell completes commands and options
    Completions(packaging::Completions),
    /// Print the manual page, or write those of all commands
    Man(packaging::Man),
}

const STATUSES: &str = "\
Exit status: 0 done; 1 `check` found something, `fix --exit-code` would change something, or \
`layers --check` finds a budget exceeded, or `verify` a difference; \
2 an error (all other files are done).";

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Done.
    Done,
    /// `check` found something, `fix --exit-code` would change something, or a budget is exceeded.
    Found,
    /// Something could not be done.
    Error,
}

/// Runs the command that the process' arguments name.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let mut output = Output::new(args.color);
    let status = match args.command {
        Command::Fix(args) => fix::run(&args, &mut output),
        Command::Check(args) => check::run(&args, &mut output),
        Command::Config(args) => config::run(&args, &mut output),
        Command::Rules(args) => rules::run(&args, &mut output),
        Command::Explain(args) => explain::run(&args, &mut output),
        Command::Init(args) => init::run(&args, &mut output),
        Command::Schema => schema::run(&mut output),
        Command::Lsp(args) => lsp::run(&args),
        Command::Layers(args) => layers::run(&args, &mut output),
        Command::Verify(args) => verify::run(&args, &mut output),
        Command::Completions(args) => Ok(packaging::completions(&args, &mut output)),
        Command::Man(args) => packaging::man(&args, &mut output),
    };
    let status = status.unwrap_or_else(|error| {
        output.failure(&error);
        Status::Error
    });
    let status = if output.finish() {
        status
    } else {
        Status::Error
    };
    match status {
        Status::Done => ExitCode::SUCCESS,
        Status::Found => ExitCode::from(1),
        Status::Error => ExitCode::from(2),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        super::Args::command().debug_assert();
    }
}
