//! `dockeropt fix`: the patch, or the change itself.

mod commits;
mod interactive;
mod lines;
mod verified;

use std::path::Path;

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::Status;
use super::changes::changes;
use super::inputs::{self, Input};
use super::output::Output;
use super::run::{self, Ask, Done, Work};
use super::verify::How;
use super::write::{self, Leftovers};
use crate::chain::Offer;
use crate::render::document::Document;
use crate::render::{Look, Tally, diff, human, json, markdown, visible_line};
use crate::rule::Applicability;
use crate::walk::PathError;
use interactive::Session;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: inputs::Files,
    /// Change the files; without it, only show the patch
    #[arg(long)]
    write: bool,
    /// Ask about each fix, and make those that are taken
    #[arg(short, long, conflicts_with_all = ["dry_run", "verify", "exit_code"])]
    interactive: bool,
    /// Make a commit for each rule, with git
    #[arg(long, conflicts_with_all = ["interactive", "dry_run", "verify", "exit_code"])]
    per_rule_commits: bool,
    /// Only show the patch: the default, said out loud
    #[arg(long, conflicts_with = "write")]
    dry_run: bool,
    /// Include unsafe fixes: those that file and context cannot prove to be without side effects
    #[arg(long = "unsafe")]
    include_unsafe: bool,
    /// Build each file before and after its fixes, and make only those that keep the image as it is
    #[arg(long)]
    verify: bool,
    /// Show both sides beside each other, on a terminal of 100 columns or more
    #[arg(long, conflicts_with_all = ["write", "interactive", "per_rule_commits", "verify"])]
    side_by_side: bool,
    /// Exit with 1 when something would change
    #[arg(long, conflicts_with = "write")]
    exit_code: bool,
    /// Read a Dockerfile with its context on each line, as JSON, and print its report on a line
    #[arg(long, conflicts_with_all = ["write", "interactive", "per_rule_commits", "dry_run", "verify", "exit_code", "only_changed", "context", "stdin_filename"])]
    stdin_jsonl: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: FixFormat,
    #[command(flatten, next_help_heading = "With --verify")]
    how: How,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FixFormat {
    #[default]
    Text,
    Json,
    /// A comment for a pull request
    Markdown,
}

impl FixFormat {
    fn document(self) -> Option<&'static Document> {
        match self {
            Self::Text => None,
            Self::Json => Some(&json::DOCUMENT),
            Self::Markdown => Some(&markdown::DOCUMENT),
        }
    }
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let is_stdin = args.files.is_stdin();
    if is_stdin && args.write {
        bail!("`-` is printed, not written: leave out `--write`");
    }
    if args.stdin_jsonl {
        return lines::run(args, output);
    }
    if args.per_rule_commits {
        return commits::run(args, output);
    }
    let session = match args.interactive {
        true => Some(Session::start(is_stdin, args.format, output.look)?),
        false => None,
    };
    if args.verify {
        return verified::run(args, output);
    }
    if args.how != How::default() {
        bail!("how images are built and tried is of use with `--verify` only");
    }
    let ask = session.as_ref().map(|session| {
        |input: &Input, root: Option<&Path>, offer: &Offer<'_>| session.ask(input, root, offer)
    });
    let writes = args.write || args.interactive;
    let width = width(args, output);
    let beside = |done: &Done<'_>, look: Look| match width {
        Some(width) => run::beside(done, look, width),
        None => run::patch(done, look),
    };
    let leftovers = Leftovers::default();
    let write = |done: &Done<'_>| {
        leftovers.beside(done.input.target());
        done.root.iter().for_each(|root| leftovers.remove(root));
        write_changes(done)
    };
    let work = Work {
        allow: allow(args),
        in_compose: !args.interactive,
        document: args.format.document(),
        ask: ask.as_ref().map(|ask| ask as &Ask<'_>),
        narrow: &|_| (),
        write: writes.then_some(&write),
        show: match (is_stdin, writes) {
            (true, _) => &show_result,
            (_, true) => &show_fixes,
            (_, false) => &beside,
        },
        tell: &|done| human::savings(&done.report) + &human::rebuilds(&done.report),
    };
    let tally = run::run(&args.files, &work, output)?;
    if args.format == FixFormat::Text {
        output.say(&summary(&tally, args));
    }
    let status = run::status(&tally);
    Ok(match status {
        Status::Done if args.exit_code && tally.changed > 0 => Status::Found,
        _ => status,
    })
}

/// The columns for both sides; `None` for a patch: where nobody looks at it, or there is not enough place, which is said.
fn width(args: &Args, output: &mut Output) -> Option<usize> {
    if !args.side_by_side || !output.look.is_for_people() {
        return None;
    }
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let terminal = terminal.map(|(width, _)| usize::from(width.0));
    // A pager has the width of the terminal, which shells know.
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = terminal.or_else(told).unwrap_or(diff::NARROWEST);
    if width < diff::NARROWEST {
        let least = diff::NARROWEST;
        output.warn(&format!(
            "`--side-by-side` needs {least} columns, the terminal has {width}"
        ));
        return None;
    }
    Some(width)
}

fn allow(args: &Args) -> Applicability {
    match args.include_unsafe {
        true => Applicability::Unsafe,
        false => Applicability::Safe,
    }
}

fn show_result(done: &Done<'_>, look: Look) -> Result<Vec<u8>, PathError> {
    // No colours here: what `--color always` pipes elsewhere stays as it is.
    let look = Look {
        color: false,
        ..look
    };
    Ok(look.show(&done.report.output).into_owned())
}

/// `path: rule 2, rule 1; writes .dockerignore`.
fn show_fixes(done: &Done<'_>, _: Look) -> Result<Vec<u8>, PathError> {
    let tally = Tally::of(&done.report);
    if tally.changed == 0 {
        return Ok(Vec::new());
    }
    let path = visible_line(&done.report.source.path.to_string_lossy());
    let files = done.report.files();
    let files: Vec<_> = files
        .map(|file| visible_line(&file.to_string_lossy()))
        .collect();
    let writes = match files.as_slice() {
        [] => String::new(),
        files => format!("; writes {}", files.join(", ")),
    };
    Ok(format!("{path}: {}{writes}\n", human::fixes(&tally)).into_bytes())
}

fn write_changes(done: &Done<'_>) -> Result<(), PathError> {
    write::write(&changes(done)?)
}

/// What was done and what was not; the last line counts the unsafe fixes that were left out.
fn summary(tally: &Tally, args: &Args) -> String {
    let mut out = String::new();
    if args.files.is_stdin() {
        // The result is there to be read.
    } else if tally.changed > 0 {
        let files = human::count(tally.changed, "file");
        let fixes = human::fixes(tally);
        let (verb, hint) = if args.write || args.interactive {
            ("changed", "")
        } else {
            ("would change", "; apply with `--write`")
        };
        out.push_str(&format!("{files} {verb}: {fixes}{hint}\n"));
    } else if args.interactive && tally.findings > 0 {
        out.push_str("nothing changed\n");
    } else if tally.files > 0 {
        let files = human::count(tally.files, "file");
        out.push_str(&format!("nothing to change in {files}\n"));
    }
    if tally.refused > 0 {
        let files = human::count(tally.refused, "file");
        out.push_str(&format!(
            "{files} left alone: BuildKit refuses to build it\n"
        ));
    }
    if tally.declined > 0 && !args.files.is_stdin() {
        let places = human::count(tally.declined, "place");
        let how = "`dockeropt explain FILE` says why";
        out.push_str(&format!("{places} left alone: {how}\n"));
    }
    // With both flags each of them was asked about.
    let was_asked = args.interactive && args.include_unsafe;
    if tally.unsafe_fixes > 0 && !was_asked {
        let fixes = human::not_included(tally);
        let why = match args.include_unsafe {
            true => "it writes a file beside the Dockerfile",
            false => "see with `--unsafe`",
        };
        out.push_str(&format!("{fixes}; {why}\n"));
    }
    out + &run::total_saved(tally)
}
