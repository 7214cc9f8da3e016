//! Reports as a code quality report of GitLab: one JSON array of issues.

use std::path::Path;

use serde::Serialize;

use super::document::{Document, End, Needs, Problem, ProblemKind, Reported};
use super::{fingerprint, human, json, visible_line};
use crate::rule::Applicability;
use crate::text::LineIndex;

/// The document of a run.
pub const DOCUMENT: Document = Document {
    start,
    file,
    between: ",\n",
    held: 0,
    end,
    needs: Needs {
        diff: false,
        alone: false,
    },
};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

impl Location {
    fn new(place: &Path, begin: u32) -> Self {
        Self {
            path: visible_line(&place.to_string_lossy()),
            lines: Lines { begin },
        }
    }
}

fn start() -> String {
    "[\n".to_owned()
}

fn file(one: &Reported<'_>) -> String {
    let lines = LineIndex::new(&one.report.source.text);
    let prints = fingerprint::of(one.report, one.place);
    let findings = one.report.findings.iter().zip(prints);
    let issues = findings.map(|(finding, fingerprint)| Issue {
        description: visible_line(&format!("{} {}", finding.message, human::brackets(finding))),
        check_name: &finding.rule,
        fingerprint,
        severity: match human::finding_applicability(finding) {
            Applicability::Safe => "minor",
            Applicability::Unsafe | Applicability::Suggestion => "info",
        },
        location: Location::new(one.place, lines.line(finding.span.start)),
    });
    joined(issues)
}

fn end(end: &End<'_>) -> String {
    let problems = joined(end.problems.iter().map(issue_of));
    let between = match end.has_files && !problems.is_empty() {
        true => DOCUMENT.between,
        false => "",
    };
    format!("{between}{problems}\n]\n")
}

/// Of a file that could not be done.
fn issue_of(problem: &Problem) -> Issue<'_> {
    let (check_name, severity) = match &problem.kind {
        ProblemKind::Error => ("error", "critical"),
        ProblemKind::Refused => ("refused", "critical"),
        ProblemKind::Withheld(rule) => (rule.as_str(), "info"),
    };
    let message = match problem.kind {
        ProblemKind::Withheld(_) => format!(
            "a bug in dockeropt: a fix was not used: {}",
            problem.message
        ),
        _ => problem.message.clone(),
    };
    Issue {
        description: visible_line(&message),
        check_name,
        fingerprint: fingerprint::of_problem(problem),
        severity,
        location: Location::new(&problem.place, problem.line.unwrap_or(1)),
    }
}

fn joined<'a>(issues: impl Iterator<Item = Issue<'a>>) -> String {
    let rows: Vec<String> = issues.map(|issue| json::to_string(&issue)).collect();
    rows.join(DOCUMENT.between)
}
