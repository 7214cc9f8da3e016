//! `dockeropt check`: findings, one a line.

use anyhow::Result;

use super::inputs;
use super::output::Output;
use super::run::{self, Done, Work};
use super::{Format, Status};
use crate::render::{Look, Tally, human};
use crate::rule::Applicability;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: inputs::Files,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let show = |done: &Done<'_>, look: Look| Ok(human::findings(&done.report, look).into_bytes());
    let tell = |done: &Done<'_>| human::savings(&done.report) + &human::rebuilds(&done.report);
    let work = Work {
        allow: Applicability::Safe,
        format: args.format,
        write: None,
        show: &show,
        tell: &tell,
    };
    let tally = run::run(&args.files, &work, output)?;
    if args.format == Format::Text {
        output.say(&summary(&tally));
    }
    let status = run::status(&tally);
    Ok(match status {
        Status::Done if tally.findings > 0 => Status::Found,
        _ => status,
    })
}

fn summary(tally: &Tally) -> String {
    if tally.files == 0 {
        return String::new();
    }
    let files = human::count(tally.files, "file");
    if tally.findings == 0 {
        return format!("no findings in {files}\n");
    }
    let parts = [
        (tally.applied(), "safe", "mend with `dockeropt fix --write`"),
        (tally.unsafe_fixes, "unsafe", "with `--unsafe`"),
        (tally.suggestions, "suggested", "by hand"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, word, how)| format!("{count} {word} ({how})"))
        .collect();
    let findings = human::count(tally.findings, "finding");
    let counts = format!("{findings} in {files}: {}\n", parts.join(", "));
    counts + &run::total_saved(tally)
}
