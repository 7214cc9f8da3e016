//! Reports as one comment in Markdown, for a pull request.
//!
//! It is never longer than GitHub takes, and says what it left out. Nothing of a Dockerfile becomes markup: it stands in a
//! fence or a code span that it cannot end.

use std::fmt::Write as _;

use super::document::{Document, End, Needs, ProblemKind, Reported};
use super::{Tally, human, visible, visible_line};
use crate::report::{Finding, Report};
use crate::rule::Applicability;
use crate::text::LineIndex;

/// The document of a run.
pub const DOCUMENT: Document = Document {
    start: String::new,
    file,
    between: "",
    held: MOST,
    end,
    needs: Needs {
        diff: true,
        alone: false,
    },
};

/// GitHub takes comments of 65,536 characters; bytes are never fewer.
const MOST: usize = 65_536;

/// What the heading and the last line may take; the files get the rest.
const AROUND: usize = 12_000;

/// The rows of a file's table, the lines on what could not be done, and the characters of one text.
const ROWS: usize = 40;
const PROBLEMS: usize = 10;
const TEXT: usize = 160;

fn file(one: &Reported<'_>) -> String {
    let report = one.report;
    if report.findings.is_empty() {
        return String::new();
    }
    let tally = Tally::of(report);
    let path = cut(&visible_line(&report.source.path.to_string_lossy()));
    let mut title = format!("<code>{}</code>: ", html(&path));
    title.push_str(&match tally.applied() {
        0 => human::count(tally.findings, "finding"),
        fixes => human::count(fixes, "fix"),
    });
    if let Some(saved) = human::saved(tally.saving, tally.unsafe_saving) {
        let _ = write!(title, ", {saved}");
    }
    let rest = table(report) + &notes(report, &tally, &path);
    let room = MOST - AROUND;
    let diff = fenced(
        &one.diff,
        room.saturating_sub(title.len() + rest.len() + 100),
    );
    format!("<details>\n<summary>{title}</summary>\n\n{diff}{rest}\n</details>\n\n")
}

/// The patch in a fence that is longer than every row of backticks in it; its end is left out where it has more than
/// `most` bytes.
fn fenced(diff: &[u8], most: usize) -> String {
    if diff.is_empty() {
        return String::new();
    }
    let diff = visible(diff);
    let fence = "`".repeat(longest_ticks(&diff).max(2) + 1);
    let room = most.saturating_sub(2 * fence.len() + TEXT);
    let mut shown = String::new();
    let mut lines = diff.split_inclusive('\n').peekable();
    while let Some(line) = lines.next_if(|line| shown.len() + line.len() <= room) {
        shown.push_str(line);
    }
    let left = match lines.count() {
        0 => String::new(),
        lines => format!(
            "{} of the patch left out here.\n\n",
            human::count(lines, "line")
        ),
    };
    format!("{fence}diff\n{shown}{fence}\n\n{left}")
}

fn table(report: &Report) -> String {
    let lines = LineIndex::new(&report.source.text);
    let mut out =
        String::from("| line | rule | what | saves | |\n| --- | --- | --- | --- | --- |\n");
    for finding in report.findings.iter().take(ROWS) {
        let estimate = finding.estimate.as_ref();
        let saves = estimate.map(|estimate| human::saving(estimate.saving));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            lines.line(finding.span.start),
            code(&finding.rule),
            inline(&finding.message),
            saves.unwrap_or_default(),
            kind(finding)
        );
    }
    let more = report.findings.len().saturating_sub(ROWS);
    if more > 0 {
        let _ = writeln!(out, "\n{} left out here.", human::count(more, "finding"));
    }
    out
}

fn kind(finding: &Finding) -> &'static str {
    match human::finding_applicability(finding) {
        Applicability::Safe => "safe",
        Applicability::Unsafe if finding.applied => "unsafe",
        Applicability::Unsafe => "unsafe, not included",
        Applicability::Suggestion => "suggestion",
    }
}

/// What changes build again, what `--unsafe` would add, and what was left alone.
fn notes(report: &Report, tally: &Tally, path: &str) -> String {
    let mut out = String::new();
    for rebuild in report.rebuilds.iter().take(ROWS) {
        let _ = write!(out, "\n- {}", inline(&human::rebuild(rebuild)));
    }
    if tally.unsafe_fixes > 0 {
        let fixes = human::count(tally.unsafe_fixes, "fix");
        let _ = write!(out, "\n- `--unsafe` would add {fixes}");
    }
    if !report.declined.is_empty() {
        let places = human::count(report.declined.len(), "place");
        let explain = code(&format!("dockeropt explain {path}"));
        let _ = write!(out, "\n- {places} left alone: {explain} says why");
    }
    match out.is_empty() {
        true => out,
        false => out + "\n",
    }
}

fn end(end: &End<'_>) -> String {
    let mut out = heading(end.tally);
    out.push_str(&problems(end));
    let room = MOST - AROUND / 4;
    let mut left_out = end.left_out;
    for piece in end.held {
        match out.len() + piece.len() <= room {
            true => out.push_str(piece),
            false => left_out += 1,
        }
    }
    if left_out > 0 {
        let files = human::count(left_out, "file");
        let _ = writeln!(
            out,
            "{files} left out here: a comment has {MOST} characters at most. `dockeropt check` lists all findings."
        );
    }
    out
}

fn heading(tally: &Tally) -> String {
    let mut out = String::from("### dockeropt\n\n");
    let files = human::count(tally.files, "file");
    let mut said = Vec::new();
    match tally.applied() {
        0 => said.push(format!("Nothing to change in {files}")),
        fixes => {
            let fixes = human::count(fixes, "fix");
            let changed = human::count(tally.changed, "file");
            let rules = human::fixes(tally);
            said.push(format!("{fixes} in {changed}: {}", inline(&rules)));
        }
    }
    said.extend(human::saved(tally.saving, tally.unsafe_saving).map(|saved| capital(&saved)));
    if tally.unsafe_fixes > 0 {
        let fixes = human::count(tally.unsafe_fixes, "unsafe fix");
        said.push(format!(
            "{fixes} not included: `dockeropt fix --unsafe` shows more"
        ));
    }
    if tally.suggestions > 0 {
        let suggestions = human::count(tally.suggestions, "suggestion");
        said.push(format!(
            "{suggestions}: `dockeropt explain FILE` shows the patch"
        ));
    }
    for line in said {
        let _ = writeln!(out, "- {line}");
    }
    out + "\n"
}

fn problems(end: &End<'_>) -> String {
    if end.problems.is_empty() {
        return String::new();
    }
    let mut out = String::from("**Not done:**\n\n");
    for problem in end.problems.iter().take(PROBLEMS) {
        let path = problem.path.to_string_lossy();
        let line = problem.line.map(|line| format!(":{line}"));
        let place = cut(&visible_line(&path)) + &line.unwrap_or_default();
        let bug = match &problem.kind {
            ProblemKind::Error | ProblemKind::Refused => "",
            ProblemKind::Withheld(_) => "a bug in dockeropt, a fix was not used: ",
        };
        let _ = writeln!(out, "- {}: {bug}{}", code(&place), inline(&problem.message));
    }
    let more = end.problems.len().saturating_sub(PROBLEMS);
    if more > 0 {
        let _ = writeln!(out, "- and {more} more");
    }
    out + "\n"
}

/// Text on one line that holds code spans and no other markup; where it could hold some, it is a code span as a whole.
fn inline(text: &str) -> String {
    let text = cut(&visible_line(text));
    let parts: Vec<&str> = text.split('`').collect();
    let is_plain = parts.iter().step_by(2).all(|part| is_plain(part));
    // An odd number of backticks, or two of them in a row: not what our messages look like.
    let is_paired =
        parts.len() % 2 == 1 && parts.iter().skip(1).step_by(2).all(|part| !part.is_empty());
    if !is_plain || !is_paired {
        return code(&text);
    }
    let parts = parts.iter().enumerate().map(|(at, part)| match at % 2 {
        0 => (*part).to_owned(),
        _ => code(part),
    });
    parts.collect()
}

/// Whether no reader of Markdown finds markup, a link or a mention in it.
fn is_plain(text: &str) -> bool {
    let is_plain = |char: char| char.is_alphanumeric() || " ,;:.'\"()-=%+→…".contains(char);
    text.chars().all(is_plain) && !text.contains("www.") && !text.contains("GH-")
}

/// A code span, also in a table: its backticks are more than any in it, and its pipes end no cell.
fn code(text: &str) -> String {
    let ticks = "`".repeat(longest_ticks(text) + 1);
    let mut inside = String::new();
    let mut backslashes = 0;
    for char in text.chars() {
        if char == '|' {
            // A backslash before it must not take the one that is for the pipe.
            inside.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = match char {
            '\\' => backslashes + 1,
            _ => 0,
        };
        inside.push(char);
    }
    let is_bare = !inside.contains('`') && !inside.starts_with(' ') && !inside.trim().is_empty();
    let pad = if is_bare { "" } else { " " };
    format!("{ticks}{pad}{inside}{pad}{ticks}")
}

fn longest_ticks(text: &str) -> usize {
    let runs = text.split(|char| char != '`');
    runs.map(str::len).max().unwrap_or(0)
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn cut(text: &str) -> String {
    match text.chars().count() > TEXT {
        true => text.chars().take(TEXT - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|char| char.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
