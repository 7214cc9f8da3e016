//! Reports as SARIF 2.1.0, for code scanning and editors.
//!
//! Columns count UTF-16 code units. A fix is given where it can be made on its own, in a file that is UTF-8; what is
//! only suggested, or writes other files, is named and not given. Nothing of the machine is in it but the paths of files
//! outside of the repository.

use std::fmt::Write as _;
use std::path::{Component, Path};

use serde_json::{Value, json};

use super::document::{Document, End, Needs, Problem, ProblemKind, Reported};
use super::{explain, fingerprint, human, json as json_text, visible};
use crate::report::{Finding, Report};
use crate::rule::{Applicability, Rule};
use crate::text::{LineIndex, Patch, Span};

/// The document of a run.
pub const DOCUMENT: Document = Document {
    start,
    file,
    between: ",",
    held: 0,
    end,
    needs: Needs {
        diff: false,
        alone: true,
    },
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What URIs of files in the repository are relative to.
const ROOT: &str = "%SRCROOT%";

/// The fingerprint's name, with the version of how it is made.
const FINGERPRINT: &str = "dockeropt/v1";

fn start() -> String {
    format!("{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"results\":[")
}

fn file(one: &Reported<'_>) -> String {
    let places = Places::new(one.report);
    let location = location(one.place);
    let prints = fingerprint::of(one.report, one.place);
    let findings = one.report.findings.iter().zip(prints);
    let results: Vec<String> = findings
        .map(|(finding, print)| json_text::to_string(&result(finding, print, &places, &location)))
        .collect();
    results.join(",")
}

fn result(finding: &Finding, print: String, places: &Places<'_>, location: &Value) -> Value {
    let applicability = human::finding_applicability(finding);
    let fix = finding
        .fix
        .as_ref()
        .map(|fix| visible(fix.title.as_bytes()));
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(applicability),
        "message": message(&finding.message),
        "locations": [{"physicalLocation": {
            "artifactLocation": location,
            "region": places.region(finding.span),
        }}],
        "partialFingerprints": {FINGERPRINT: print},
        "properties": {
            "applicability": applicability,
            "fix": fix,
            "saving": finding.estimate.as_ref().map(|estimate| estimate.saving),
            "rebuild": finding.rebuilds,
        },
    });
    if let Some(fix) = fix_of(finding, places, location) {
        result["fixes"] = json!([fix]);
    }
    result
}

/// The fix, where one can be given.
fn fix_of(finding: &Finding, places: &Places<'_>, location: &Value) -> Option<Value> {
    let fix = finding.fix.as_ref()?;
    let patch = finding.alone.as_ref()?;
    if fix.applicability == Applicability::Suggestion || std::str::from_utf8(places.text).is_err() {
        return None;
    }
    Some(json!({
        "description": message(&fix.title),
        "artifactChanges": [{
            "artifactLocation": location,
            "replacements": replacements(patch, places)?,
        }],
    }))
}

fn replacements(patch: &Patch, places: &Places<'_>) -> Option<Vec<Value>> {
    let edits = patch.edits().iter().map(|edit| {
        let text = std::str::from_utf8(&edit.insert).ok()?;
        let mut replacement = json!({"deletedRegion": places.region(edit.span)});
        if !text.is_empty() {
            replacement["insertedContent"] = json!({"text": text});
        }
        Some(replacement)
    });
    edits.collect()
}

fn end(end: &End<'_>) -> String {
    let failed = |problem: &&Problem| !matches!(problem.kind, ProblemKind::Withheld(_));
    let rules: Vec<Value> = end.rules.iter().map(|rule| descriptor(rule)).collect();
    let rest = json!({
        "tool": {"driver": {
            "name": "dockeropt",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        }},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [{
            "executionSuccessful": !end.problems.iter().any(|one| failed(&one)),
            "toolExecutionNotifications": end.problems.iter().map(notification).collect::<Vec<_>>(),
        }],
    });
    // The members of the run that is open, behind its results.
    let rest = json_text::to_string(&rest);
    format!("],{}]}}\n", rest.strip_prefix('{').unwrap_or_default())
}

fn notification(problem: &Problem) -> Value {
    let mut place = json!({"artifactLocation": location(&problem.place)});
    if let Some(line) = problem.line {
        place["region"] = json!({"startLine": line});
    }
    let (level, text) = match &problem.kind {
        ProblemKind::Error | ProblemKind::Refused => ("error", problem.message.clone()),
        ProblemKind::Withheld(_) => (
            "warning",
            format!(
                "a bug in dockeropt: a fix was not used: {}",
                problem.message
            ),
        ),
    };
    let mut notification = json!({
        "level": level,
        "message": message(&text),
        "locations": [{"physicalLocation": place}],
    });
    if let ProblemKind::Withheld(rule) = &problem.kind {
        notification["associatedRule"] = json!({"id": rule});
    }
    notification
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": message(&format!("{}.", rule.summary)),
        "fullDescription": message(rule.why.trim()),
        "help": {
            "text": escaped(&explain::markdown(rule)),
            "markdown": escaped(&explain::markdown(rule)),
        },
        "defaultConfiguration": {"level": level(rule.applicability)},
        "properties": {
            "tags": ["dockerfile", rule.phase, rule.applicability],
            "problem.severity": match rule.applicability {
                Applicability::Safe => "warning",
                Applicability::Unsafe | Applicability::Suggestion => "recommendation",
            },
        },
    })
}

fn level(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Safe => "warning",
        Applicability::Unsafe | Applicability::Suggestion => "note",
    }
}

fn message(text: &str) -> Value {
    json!({"text": escaped(&visible(text.as_bytes()))})
}

/// Text that holds neither placeholders nor links.
fn escaped(text: &str) -> String {
    let braces = text.replace('{', "{{").replace('}', "}}");
    braces.replace("](", "] (")
}

fn location(place: &Path) -> Value {
    let uri = uri(place);
    match place.is_absolute() {
        true => json!({"uri": format!("file://{uri}")}),
        false => json!({"uri": uri, "uriBaseId": ROOT}),
    }
}

/// The path of a URI: `/`-separated, everything but letters, digits and `-._~` in percent-encoding.
fn uri(place: &Path) -> String {
    let mut out = String::new();
    for component in place.components() {
        if !matches!(component, Component::RootDir) {
            if !out.is_empty() || place.is_absolute() {
                out.push('/');
            }
            for byte in component.as_os_str().as_encoded_bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                        out.push(char::from(*byte));
                    }
                    _ => {
                        let _ = write!(out, "%{byte:02X}");
                    }
                }
            }
        }
    }
    out
}

/// Regions of one text.
struct Places<'a> {
    text: &'a [u8],
    lines: LineIndex,
}

impl<'a> Places<'a> {
    fn new(report: &'a Report) -> Self {
        let text = &report.source.text;
        Self {
            text,
            lines: LineIndex::new(text),
        }
    }

    fn region(&self, span: Span) -> Value {
        let [(line, column), (end_line, end_column)] =
            [span.start, span.end].map(|offset| self.place(offset));
        json!({
            "startLine": line,
            "startColumn": column,
            "endLine": end_line,
            "endColumn": end_column,
        })
    }

    /// Line and column. A byte order mark has no column.
    fn place(&self, offset: u32) -> (u32, usize) {
        let line = self.lines.line(offset);
        let start = self.lines.start_of(line).unwrap_or_default();
        let before = Span::new(start, offset).of(self.text);
        let before = match start {
            0 => before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before),
            _ => before,
        };
        let units = String::from_utf8_lossy(before).encode_utf16().count();
        (line, units + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_relative_and_in_percent_encoding() {
        let uri = |path: &str| location(Path::new(path))["uri"].clone();
        assert_eq!(
            uri("my app/é:%/Dockerfile"),
            "my%20app/%C3%A9%3A%25/Dockerfile"
        );
        assert_eq!(uri("/srv/a b/Dockerfile"), "file:///srv/a%20b/Dockerfile");
        assert_eq!(location(Path::new("a"))["uriBaseId"], "%SRCROOT%");
        assert_eq!(location(Path::new("/a"))["uriBaseId"], Value::Null);
    }

    #[test]
    fn messages_hold_no_placeholder_and_no_link() {
        let text = message("`${A}` in [a](b) \u{1b}[1m")["text"].clone();
        assert_eq!(text, "`${{A}}` in [a] (b) \\u{{1b}}[1m");
    }
}
