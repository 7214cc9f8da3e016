//! What must hold for every Dockerfile after a run, whatever the rules did: the properties of the design as functions.

use std::collections::HashMap;

use dockeropt::report::{Finding, Report};
use dockeropt::syntax::{Dockerfile, Instruction, Item};
use dockeropt::text::{Source, Span};

use crate::shell::{Body, bash_accepts, shell_bodies};

/// A way in which a run can damage a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Damage {
    /// BuildKit accepted the file, and refuses it now.
    NowRefused,
    /// A shell body that no shell can parse, and that was not there before.
    InvalidShell,
    /// A second run changes the file again.
    NotSettled,
    /// A comment line that is gone.
    CommentLost,
    /// Line endings, the byte order mark or the last newline differ.
    LineEnds,
    /// A file that BuildKit refuses was changed.
    RefusedTouched,
    /// An instruction that no finding speaks of is spelled differently.
    TouchedWithoutFinding,
    /// A patch that our own checks stopped.
    Withheld,
    /// The run panicked.
    Panic,
}

impl Damage {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::NowRefused,
        Self::InvalidShell,
        Self::NotSettled,
        Self::CommentLost,
        Self::LineEnds,
        Self::RefusedTouched,
        Self::TouchedWithoutFinding,
        Self::Withheld,
        Self::Panic,
    ];
}

/// Each damage that `report` shows, with the evidence. `again` is the output of a second run on the output.
pub(crate) fn damages(report: &Report, again: &[u8]) -> Vec<(Damage, String)> {
    let (before, after) = (&report.source.text, &report.output);
    let mut found = Vec::new();
    let mut note =
        |damage, evidence: Option<String>| found.extend(evidence.map(|text| (damage, text)));
    let withheld = report.withheld.first();
    note(
        Damage::Withheld,
        withheld.map(|one| format!("{}: {}", one.rule, one.reason)),
    );
    if before == after {
        return found;
    }
    let (old, new) = (Dockerfile::parse(before), Dockerfile::parse(after));
    if !old.is_accepted() {
        note(Damage::RefusedTouched, Some("changed".to_owned()));
        return found;
    }
    note(
        Damage::NowRefused,
        new.errors.first().map(|error| error.message.clone()),
    );
    note(
        Damage::InvalidShell,
        invalid_shell((&old, before), (&new, after)),
    );
    note(
        Damage::NotSettled,
        (again != after).then(|| first_difference(after, again)),
    );
    note(
        Damage::CommentLost,
        comment_lost((&old, before), (&new, after)),
    );
    note(Damage::LineEnds, line_ends_changed(before, after));
    note(
        Damage::TouchedWithoutFinding,
        touched_without_finding(report, &old, &new),
    );
    found
}

/// The comment lines of a file, outside and inside of continuations, without the blanks around them. Lines of
/// here-documents are content, not comments.
pub(crate) fn comments(file: &Dockerfile, text: &[u8]) -> Vec<Vec<u8>> {
    let mut comments = Vec::new();
    for item in &file.items {
        let lines = match item {
            Item::Comment(span) => span.of(text),
            Item::Instruction(one) => command_lines(one, text),
            Item::Directive(_) | Item::Blank(_) => continue,
        };
        let lines = lines.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        comments.extend(
            lines
                .filter(|line| line.starts_with(b"#"))
                .map(<[u8]>::to_vec),
        );
    }
    comments
}

/// The lines of an instruction before its here-documents.
fn command_lines<'a>(one: &Instruction, text: &'a [u8]) -> &'a [u8] {
    let end = one
        .heredocs
        .first()
        .map_or(one.span.end, |first| first.body.start);
    text.get(one.span.start as usize..end as usize)
        .unwrap_or_default()
}

fn comment_lost(old: (&Dockerfile, &[u8]), new: (&Dockerfile, &[u8])) -> Option<String> {
    let mut left = counts(comments(new.0, new.1));
    for comment in comments(old.0, old.1) {
        match left.get_mut(&comment) {
            Some(count) if *count > 0 => *count -= 1,
            _ => return Some(String::from_utf8_lossy(&comment).into_owned()),
        }
    }
    None
}

/// A changed shell body that `bash -n` or our reader refuses, where the changed ones hold more of them than before.
fn invalid_shell(old: (&Dockerfile, &[u8]), new: (&Dockerfile, &[u8])) -> Option<String> {
    let (old, new) = (shell_bodies(old.0, old.1), shell_bodies(new.0, new.1));
    let is_invalid = |body: &&Body| !body.is_read || bash_accepts(&body.text) == Some(false);
    let invalid: Vec<&Body> = not_in(&new, &old).into_iter().filter(is_invalid).collect();
    let first = invalid.first()?;
    let before = not_in(&old, &new).into_iter().filter(is_invalid).count();
    (invalid.len() > before).then(|| String::from_utf8_lossy(&first.text).into_owned())
}

/// The bodies that the others lack.
fn not_in<'a>(bodies: &'a [Body], others: &[Body]) -> Vec<&'a Body> {
    let mut left = counts(others.iter().map(|body| body.text.clone()));
    let mut is_new = |body: &&Body| match left.get_mut(&body.text) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    bodies.iter().filter(|body| is_new(body)).collect()
}

fn line_ends_changed(before: &[u8], after: &[u8]) -> Option<String> {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let (old, new) = (endings(before), endings(after));
    if before.starts_with(BOM) != after.starts_with(BOM) {
        return Some("byte order mark".to_owned());
    }
    if before.ends_with(b"\n") != after.ends_with(b"\n") {
        return Some("last newline".to_owned());
    }
    let is_mixed = old.0 > 0 && old.1 > 0;
    let appeared = (old.0 == 0 && new.0 > 0) || (old.1 == 0 && new.1 > 0);
    (!is_mixed && appeared).then(|| format!("(LF, CRLF): {old:?} before, {new:?} after"))
}

/// The numbers of lines that end in LF and in CRLF.
fn endings(text: &[u8]) -> (usize, usize) {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let ended: Vec<&[u8]> = lines.filter(|line| line.ends_with(b"\n")).collect();
    let crlf = ended.iter().filter(|line| line.ends_with(b"\r\n")).count();
    (ended.len() - crlf, crlf)
}

/// An instruction whose bytes are gone, though no applied finding speaks of it. Of instructions that are spelled alike,
/// those that nobody speaks of are the ones that stay.
fn touched_without_finding(report: &Report, old: &Dockerfile, new: &Dockerfile) -> Option<String> {
    let text = &report.source.text;
    let mut kept = counts(
        new.instructions()
            .map(|one| one.span.of(&report.output).to_vec()),
    );
    let spoken_of = |one: &Instruction| {
        let mut applied = report.findings.iter().filter(|finding| finding.applied);
        applied
            .any(|finding| finding.span.start < one.span.end && one.span.start < finding.span.end)
    };
    let mut silent = old.instructions().filter(|one| !spoken_of(one));
    let gone = silent.find(|one| match kept.get_mut(one.span.of(text)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    })?;
    let bytes = String::from_utf8_lossy(gone.span.of(text));
    Some(format!("line {}: {bytes}", gone.lines.0))
}

fn first_difference(left: &[u8], right: &[u8]) -> String {
    let lines = |text: &'_ [u8]| -> Vec<String> {
        let lines = text.split(|byte| *byte == b'\n');
        lines
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect()
    };
    let (left, right) = (lines(left), lines(right));
    let at = left
        .iter()
        .zip(&right)
        .position(|(left, right)| left != right);
    let at = at.unwrap_or(left.len().min(right.len()));
    let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
    format!(
        "line {}: `{}` becomes `{}`",
        at + 1,
        line(&left),
        line(&right)
    )
}

fn counts(all: impl IntoIterator<Item = Vec<u8>>) -> HashMap<Vec<u8>, usize> {
    let mut counts = HashMap::new();
    for one in all {
        *counts.entry(one).or_insert(0) += 1;
    }
    counts
}

/// The damages of a run that made `after` of `before`, with a finding on each byte of it if `spoken_of`.
fn damages_between(before: &[u8], after: &[u8], spoken_of: bool) -> Vec<Damage> {
    let everything = Finding {
        rule: "a-rule".to_owned(),
        span: Span::new(0, before.len() as u32),
        message: String::new(),
        fix: None,
        alone: None,
        applied: true,
        estimate: None,
        rebuilds: Vec::new(),
    };
    let source = Source {
        path: "Dockerfile".into(),
        text: before.to_vec(),
    };
    let report = Report {
        source,
        suggested: None,
        output: after.to_vec(),
        findings: if spoken_of {
            vec![everything]
        } else {
            Vec::new()
        },
        declined: Vec::new(),
        withheld: Vec::new(),
        refused: Vec::new(),
        rebuilds: Vec::new(),
    };
    damages(&report, after)
        .into_iter()
        .map(|(damage, _)| damage)
        .collect()
}

#[test]
fn damages_are_seen() {
    let between =
        |before: &str, after: &str| damages_between(before.as_bytes(), after.as_bytes(), true);
    let heredoc = "FROM a\nRUN <<E\n# no comment\nE\n";
    assert_eq!(between("FROM a\nRUN b\n", "FROM a\nRUN c\n"), []);
    assert_eq!(
        between("FROM a\nRUN b\n", "FROM a\n&& b\n"),
        [Damage::NowRefused]
    );
    assert_eq!(
        between("FROM a\nRUN b\n", "FROM a\nRUN if b\n"),
        [Damage::InvalidShell]
    );
    assert_eq!(between("FROM a\nRUN if b\n", "FROM a\nRUN if c\n"), []);
    assert_eq!(
        between("FROM a\n# c\nRUN b\n", "FROM a\nRUN b\n"),
        [Damage::CommentLost]
    );
    assert_eq!(
        between("FROM a\nRUN b \\\n # c\n c\n", "FROM a\nRUN b c\n"),
        [Damage::CommentLost]
    );
    assert_eq!(between(heredoc, "FROM a\nRUN b\n"), []);
    assert_eq!(
        between("FROM a\r\nRUN b\r\n", "FROM a\r\nRUN c\n"),
        [Damage::LineEnds]
    );
    assert_eq!(
        between("FROM a\nRUN b", "FROM a\nRUN c\n"),
        [Damage::LineEnds]
    );
    assert_eq!(between("\u{feff}FROM a\n", "FROM a\n"), [Damage::LineEnds]);
    assert_eq!(between("FROM a b\n", "FROM a\n"), [Damage::RefusedTouched]);
    let silent = damages_between(b"FROM a\nRUN b\n", b"FROM a\nRUN c\n", false);
    assert_eq!(silent, [Damage::TouchedWithoutFinding]);
}
