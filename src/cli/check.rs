//! `dockeropt check`: findings, one a line; or a checklist for each file.

mod checklist;

use anyhow::Result;
use clap::ValueEnum;

use super::Status;
use super::inputs;
use super::output::Output;
use super::run::{self, Done, Work};
use crate::render::document::Document;
use crate::render::{Look, Tally, github, gitlab, human, json, markdown, sarif};
use crate::rule::Applicability;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: inputs::Files,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: CheckFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    #[default]
    Text,
    Json,
    /// SARIF 2.1.0, with fixes: for code scanning and editors
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// A code quality report of GitLab
    Gitlab,
    /// A comment for a pull request
    Markdown,
    /// What a guide to small images asks of each file, and which rule would do it
    Checklist,
}

impl CheckFormat {
    fn document(self) -> Option<&'static Document> {
        match self {
            Self::Text | Self::Checklist => None,
            Self::Json => Some(&json::DOCUMENT),
            Self::Github => Some(&github::DOCUMENT),
            Self::Gitlab => Some(&gitlab::DOCUMENT),
            Self::Markdown => Some(&markdown::DOCUMENT),
            Self::Sarif => Some(&sarif::DOCUMENT),
        }
    }
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let is_list = args.format == CheckFormat::Checklist;
    let show = |done: &Done<'_>, look: Look| {
        let text = match is_list {
            true => checklist::list(done, look),
            false => human::findings(&done.report, look),
        };
        Ok(text.into_bytes())
    };
    let tell = |done: &Done<'_>| match is_list {
        true => String::new(),
        false => human::savings(&done.report) + &human::rebuilds(&done.report),
    };
    let work = Work {
        allow: Applicability::Safe,
        document: args.format.document(),
        ask: None,
        write: None,
        show: &show,
        tell: &tell,
    };
    let tally = run::run(&args.files, &work, output)?;
    if args.format == CheckFormat::Text {
        output.say(&summary(&tally));
    }
    let status = run::status(&tally);
    Ok(match status {
        Status::Done if tally.findings > tally.suggestions => Status::Found,
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
        (
            tally.suggestions,
            "suggested",
            "`dockeropt explain FILE` shows how",
        ),
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
