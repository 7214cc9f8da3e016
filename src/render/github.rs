//! Reports as workflow commands of GitHub Actions: an annotation beside the line for each finding.
//!
//! A finding is one line, whatever stands in the Dockerfile: nothing of it becomes a command of its own.

use std::path::Path;

use super::document::{Document, End, Needs, Problem, ProblemKind, Reported};
use super::{human, visible, visible_line};
use crate::report::Finding;
use crate::rule::Applicability;
use crate::text::LineIndex;

/// The document of a run.
pub const DOCUMENT: Document = Document {
    start: String::new,
    file,
    between: "",
    held: 0,
    end,
    needs: Needs {
        diff: false,
        alone: false,
    },
};

fn file(one: &Reported<'_>) -> String {
    let lines = LineIndex::new(&one.report.source.text);
    let findings = one.report.findings.iter();
    let commands = findings.map(|finding| command(finding, one, &lines));
    commands.collect()
}

fn command(finding: &Finding, one: &Reported<'_>, lines: &LineIndex) -> String {
    let applicability = human::finding_applicability(finding);
    let level = match applicability {
        Applicability::Safe => "warning",
        Applicability::Unsafe | Applicability::Suggestion => "notice",
    };
    let span = finding.span;
    let text = &one.report.source.text;
    // What ends with a line ends on it.
    let last = span
        .of(text)
        .strip_suffix(b"\n")
        .map_or(span.end, |_| span.end - 1);
    let (line, end_line) = (lines.line(span.start), lines.line(last));
    let mut properties = format!("file={},line={line},endLine={end_line}", path(one.place));
    // Columns are of one line only.
    if line == end_line {
        let start = lines.start_of(line).unwrap_or_default() as usize;
        let column = |offset: u32| 1 + characters(&text[start..offset as usize]);
        let (column, end_column) = (column(span.start), column(last));
        properties.push_str(&format!(",col={column},endColumn={end_column}"));
    }
    let title = property(&format!("dockeropt: {}", finding.rule));
    let message = data(&format!("{} {}", finding.message, human::brackets(finding)));
    format!("::{level} {properties},title={title}::{message}\n")
}

fn end(end: &End<'_>) -> String {
    end.problems.iter().map(problem).collect()
}

fn problem(problem: &Problem) -> String {
    let line = problem.line.map(|line| format!(",line={line}"));
    let place = format!("file={}{}", path(&problem.place), line.unwrap_or_default());
    let message = data(&problem.message);
    match &problem.kind {
        ProblemKind::Error | ProblemKind::Refused => {
            let title = property("dockeropt: error");
            format!("::error {place},title={title}::{message}\n")
        }
        ProblemKind::Withheld(rule) => {
            let title = property(&format!("dockeropt: a bug in {rule}"));
            format!("::warning {place},title={title}::a fix was not used: {message}\n")
        }
    }
}

fn characters(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).chars().count()
}

fn path(place: &Path) -> String {
    let parts = place
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    let path = parts.collect::<Vec<_>>().join("/");
    property(
        path.strip_prefix('/')
            .filter(|_| place.is_absolute())
            .unwrap_or(&path),
    )
}

/// The message of a command.
fn data(text: &str) -> String {
    let text = visible(text.as_bytes()).replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(&visible_line(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(
            data("100 %\r\n::error::x \u{1b}[1m"),
            "100 %25%0D%0A::error::x \\u{1b}[1m"
        );
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
        assert_eq!(path(Path::new("a,b/c:\n")), "a%2Cb/c%3A\\n");
        assert_eq!(path(Path::new("/srv/x")), "/srv/x");
    }
}
