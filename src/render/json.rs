//! Reports as JSON. One document a run, with a `version` that changes when a reader would have to.
//!
//! Lines and columns count from 1, columns in bytes. Bytes that are not UTF-8 show as U+FFFD.

use std::borrow::Cow;

use serde::Serialize;

use super::document::{Document, End, Needs, ProblemKind, Reported};
use super::{human, is_hidden};
use crate::report::{Finding, Rebuild, Sent};
use crate::rule::{self, Applicability, Estimate, Rule, Saving};
use crate::text::{LineIndex, Span};

/// The version of all JSON output.
pub const VERSION: u32 = 1;

/// The document of a run.
pub const DOCUMENT: Document = Document {
    start,
    file,
    between: ",",
    held: 0,
    end,
    needs: Needs {
        diff: true,
        alone: false,
    },
};

fn start() -> String {
    format!("{{\"version\":{VERSION},\"files\":[")
}

fn file(one: &Reported<'_>) -> String {
    let report = one.report;
    let lines = LineIndex::new(&report.source.text);
    let place = |span| Place::new(&lines, span);
    let reason = |rule, reason, span| ReasonRow {
        rule,
        reason,
        place: place(span),
    };
    let findings = report.findings.iter().map(|finding| FindingRow {
        rule: &finding.rule,
        message: &finding.message,
        place: place(finding.span),
        applicability: human::finding_applicability(finding),
        fix: finding.fix.as_ref().map(|fix| fix.title.as_str()),
        reasons: finding.fix.as_ref().map_or(&[], |fix| &fix.reasons),
        applied: finding.applied,
        estimate: finding.estimate.as_ref(),
        rebuild: &finding.rebuilds,
        context: sent(finding),
    });
    let declined = report.declined.iter();
    let withheld = report.withheld.iter();
    let refused = report.refused.iter().map(|refusal| RefusalRow {
        message: &refusal.message,
        place: place(refusal.span),
    });
    to_string(&File {
        path: report.source.path.to_string_lossy().into_owned(),
        changed: report.is_changed(),
        findings: findings.collect(),
        declined: declined
            .map(|decline| reason(&decline.rule, &decline.reason, decline.span))
            .collect(),
        withheld: withheld
            .map(|withheld| reason(&withheld.rule, &withheld.reason, withheld.span))
            .collect(),
        refused: refused.collect(),
        saving: report.saving(),
        unsafe_saving: report.unsafe_saving(),
        rebuild: &report.rebuilds,
        writes: report
            .files()
            .map(|path| path.to_string_lossy().into_owned())
            .collect(),
        diff: std::str::from_utf8(&one.diff)
            .ok()
            .filter(|diff| !diff.is_empty()),
    })
}

fn end(end: &End<'_>) -> String {
    let problems = end.problems.iter();
    let errors = problems.filter(|problem| problem.kind == ProblemKind::Error);
    let errors: Vec<_> = errors
        .map(|error| Error {
            path: error.path.to_string_lossy(),
            line: error.line,
            message: &error.message,
        })
        .collect();
    let (errors, tally) = (to_string(&errors), to_string(end.tally));
    format!("],\"errors\":{errors},\"summary\":{tally}}}\n")
}

/// The document of `dockeropt rules`.
pub fn rules(rules: &[Rule]) -> String {
    let rows = to_string(&rule::rows(rules));
    format!("{{\"version\":{VERSION},\"rules\":{rows}}}\n")
}

fn sent(finding: &Finding) -> Option<Context> {
    let [before, after] = finding.fix.as_ref()?.sent?;
    Some(Context { before, after })
}

/// A value as JSON that is safe on a terminal: what one would act on is escaped, which a reader of JSON undoes.
pub fn to_string(value: &impl Serialize) -> String {
    // Fails only for maps with keys that are not strings; there are none.
    let text = serde_json::to_string(value).unwrap_or_default();
    if !text.contains(is_hidden) {
        return text;
    }
    // Such characters stand in strings only.
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match is_hidden(char) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            false => out.push(char),
        }
    }
    out
}

#[derive(Serialize)]
struct File<'a> {
    path: String,
    changed: bool,
    findings: Vec<FindingRow<'a>>,
    declined: Vec<ReasonRow<'a>>,
    withheld: Vec<ReasonRow<'a>>,
    refused: Vec<RefusalRow<'a>>,
    saving: Option<Saving>,
    unsafe_saving: Option<Saving>,
    rebuild: &'a [Rebuild],
    /// Paths in the build context.
    writes: Vec<String>,
    /// `None` where there is nothing to change, and where it is no text.
    diff: Option<&'a str>,
}

/// Why a path could not be done.
#[derive(Serialize)]
struct Error<'a> {
    path: Cow<'a, str>,
    line: Option<u32>,
    message: &'a str,
}

#[derive(Serialize)]
struct FindingRow<'a> {
    rule: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Place,
    applicability: Applicability,
    fix: Option<&'a str>,
    reasons: &'a [String],
    applied: bool,
    estimate: Option<&'a Estimate>,
    rebuild: &'a [Rebuild],
    context: Option<Context>,
}

/// What a build sends of its context, without and with a fix.
#[derive(Serialize)]
struct Context {
    before: Sent,
    after: Sent,
}

#[derive(Serialize)]
struct ReasonRow<'a> {
    rule: &'a str,
    reason: &'a str,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct RefusalRow<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Place {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

impl Place {
    fn new(lines: &LineIndex, span: Span) -> Self {
        let (line, column) = lines.line_column(span.start);
        let (end_line, end_column) = lines.line_column(span.end);
        Self {
            line,
            column,
            end_line,
            end_column,
        }
    }
}
