//! `dockeropt check`: findings, one a line; or a checklist for each file.

mod baseline;
mod changed;
mod checklist;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::Status;
use super::inputs;
use super::output::Output;
use super::run::{self, Done, Work};
use crate::render::document::Document;
use crate::render::{Look, Tally, github, gitlab, human, json, markdown, sarif};
use crate::rule::Applicability;
use baseline::Baseline;
use changed::ChangedLines;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: inputs::Files,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: CheckFormat,
    /// Only findings about lines that differ from this commit; HEAD where none is named
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD", conflicts_with = "only_changed")]
    only_changed_lines: Option<String>,
    /// Leave out the findings that this file has, which `--write-baseline` wrote
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write all findings to this file, to leave them out with `--baseline`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "format", "select", "ignore", "only_changed", "only_changed_lines"])]
    write_baseline: Option<PathBuf>,
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
    let baseline = baseline(args)?.map(Mutex::new);
    let changed = args.only_changed_lines.as_deref().map(ChangedLines::since);
    let narrow = |done: &mut Done<'_>| {
        if let Some(baseline) = &baseline {
            let baseline = baseline.lock();
            baseline
                .unwrap_or_else(PoisonError::into_inner)
                .narrow(done);
        }
        // What the baseline has is known first.
        if let Some(changed) = &changed {
            changed.narrow(done);
        }
    };
    let is_silent = args.write_baseline.is_some();
    let show = |done: &Done<'_>, look: Look| {
        let text = match is_list {
            _ if is_silent => String::new(),
            true => checklist::list(done, look),
            false if look.is_for_people() => human::explained_findings(&done.report, look),
            false => human::findings(&done.report, look),
        };
        Ok(text.into_bytes())
    };
    let tell = |done: &Done<'_>| match is_list || is_silent {
        true => String::new(),
        false => human::savings(&done.report) + &human::rebuilds(&done.report),
    };
    let work = Work {
        allow: Applicability::Safe,
        in_compose: !is_list,
        document: args.format.document(),
        ask: None,
        narrow: &narrow,
        write: None,
        show: &show,
        tell: &tell,
    };
    let mut files = args.files.clone();
    if args.only_changed_lines.is_some() {
        files.only_changed = args.only_changed_lines.clone();
    }
    let tally = run::run(&files, &work, output)?;
    let status = run::status(&tally);
    let baseline = baseline.map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner));
    if let Some(baseline) = baseline.as_ref().filter(|_| is_silent) {
        if tally.errors > 0 {
            bail!("the baseline is not written: not every file could be read");
        }
        output.say(&baseline.write()?);
        return Ok(status);
    }
    if args.format == CheckFormat::Text {
        output.say(&summary(&tally));
        let selection = &args.files.selection;
        let all_rules = selection.select.is_none() && selection.ignore.is_empty();
        let known = baseline.map(|baseline| baseline.summary(all_rules));
        output.say(&known.unwrap_or_default());
        output.say(&changed.map(|changed| changed.summary()).unwrap_or_default());
    }
    Ok(match status {
        Status::Done if tally.findings > tally.suggestions => Status::Found,
        _ => status,
    })
}

/// The findings that are known, or those that are going to be.
fn baseline(args: &Args) -> Result<Option<Baseline>> {
    let baseline = match (&args.baseline, &args.write_baseline) {
        (Some(path), _) => Some(Baseline::read(path)?),
        (None, Some(path)) => Some(Baseline::empty(path)?),
        (None, None) => Baseline::configured()?,
    };
    let is_part = baseline.is_some() || args.only_changed_lines.is_some();
    if is_part && args.format == CheckFormat::Markdown {
        bail!(
            "`--format markdown` shows the whole patch, and does not go together with a baseline \
             or `--only-changed-lines`"
        );
    }
    Ok(baseline)
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
