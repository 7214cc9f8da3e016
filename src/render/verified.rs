//! What `verify` found: a table for people, Markdown for a pull request, JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::human::count;
use super::json::VERSION;
use super::layers::bytes;
use super::{ERROR, Look, visible_line};
use crate::verify::{
    Compared, Difference, LeftOut, Measures, Outcome, Rebuilt, Severities, Tried, Verified,
};

/// As many differences are shown to people.
const SHOWN: usize = 20;

/// The results as text.
pub fn human(results: &[Verified], look: Look) -> String {
    let pieces = results.iter().map(|one| {
        let path = visible_line(&one.path.to_string_lossy());
        match &one.outcome {
            Outcome::Unchanged => format!("{path}: nothing to verify: no rule changes it\n"),
            Outcome::NotBuilt(said) => {
                format!(
                    "{path}: does not build as it is, so that nothing can be said\n{}",
                    indented(said)
                )
            }
            Outcome::Tried(tried) => tried_text(&path, tried, look),
        }
    });
    pieces.collect::<Vec<_>>().join("\n")
}

fn tried_text(path: &str, tried: &Tried, look: Look) -> String {
    let mut out = format!("{path}\n");
    let rows = rows(tried);
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    for [name, before, after, change] in &rows {
        let line = format!(
            "  {name:0$}  {before:>1$}  {after:>2$}  {change}",
            widths[0], widths[1], widths[2]
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let Some(said) = &tried.said {
        out += &indented(said);
    }
    for line in lines(tried) {
        let _ = writeln!(out, "  {line}");
    }
    let verdict = verdict(tried);
    match tried.is_verified() {
        true => out + &format!("  {verdict}\n"),
        false => out + &format!("  {}\n", look.paint(ERROR, verdict)),
    }
}

/// `verified: …; 128 MB → 120 MB`, on one line.
pub fn summary(tried: &Tried) -> String {
    let size = tried.after.as_ref().map(|after| {
        let (before, after) = (bytes(tried.before.bytes), bytes(after.bytes));
        format!("; {before} → {after}")
    });
    verdict(tried) + &size.unwrap_or_default()
}

/// Why it does not verify, on one line: the first difference that counts, or the last words of the engine.
pub fn reason(tried: &Tried) -> String {
    match (&tried.said, tried.compared.unexpected.as_slice()) {
        (Some(said), _) => format!(
            "the file does not build with it: {}",
            said.lines().last().unwrap_or_default()
        ),
        (None, [first]) => first.to_string(),
        (None, [first, rest @ ..]) => {
            let more = count(rest.len(), "more difference");
            format!("{first}, and {more}")
        }
        (None, []) => verdict(tried),
    }
}

/// The results as Markdown, for a comment on a pull request.
pub fn markdown(results: &[Verified]) -> String {
    let mut out = String::new();
    for one in results {
        let path = visible_line(&one.path.to_string_lossy());
        match &one.outcome {
            Outcome::Unchanged => {
                let _ = writeln!(
                    out,
                    "### `{path}`\n\nNothing to verify: no rule changes it.\n"
                );
            }
            Outcome::NotBuilt(said) => {
                let _ = writeln!(
                    out,
                    "### `{path}`\n\nDoes not build as it is.\n\n{}\n",
                    fenced(said)
                );
            }
            Outcome::Tried(tried) => out += &tried_markdown(&path, tried),
        }
    }
    out
}

fn tried_markdown(path: &str, tried: &Tried) -> String {
    let mark = if tried.is_verified() { "✅" } else { "❌" };
    let mut out = format!(
        "### {mark} `{path}`: {}\n\n| | before | after | |\n| --- | ---: | ---: | --- |\n",
        verdict(tried)
    );
    for row in rows(tried).iter().skip(1) {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
    if let Some(said) = &tried.said {
        let _ = writeln!(out, "{}\n", fenced(said));
    }
    for line in lines(tried) {
        let _ = writeln!(out, "- {line}");
    }
    out + "\n"
}

fn fenced(text: &str) -> String {
    format!("````text\n{}\n````", super::visible(text.as_bytes()))
}

fn indented(text: &str) -> String {
    let text = super::visible(text.as_bytes());
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// What was measured, a row each: name, before, after, change.
fn rows(tried: &Tried) -> Vec<[String; 4]> {
    let head = ["", "before", "after", ""].map(str::to_owned);
    let mut rows = vec![head];
    let (before, after) = (&tried.before, tried.after.as_ref());
    let mut row = |name: &str, show: &dyn Fn(&Measures) -> Option<String>, change: String| {
        let was = show(before);
        let is = after.and_then(show);
        if was.is_some() || is.is_some() {
            let cell = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
            rows.push([name.to_owned(), cell(was), cell(is), change]);
        }
    };
    let percent = after.map_or_else(String::new, |after| percent(before.bytes, after.bytes));
    row("size", &|side| Some(bytes(side.bytes)), percent);
    row(
        "compressed",
        &|side| side.compressed.map(bytes),
        String::new(),
    );
    row(
        "layers",
        &|side| Some(side.layers.to_string()),
        String::new(),
    );
    row("wasted", &|side| Some(bytes(side.wasted)), String::new());
    row("image", &|side| side.image.clone(), String::new());
    for Rebuilt {
        file,
        before,
        after,
    } in &tried.rebuilds
    {
        let steps = |steps: &crate::verify::Steps| {
            format!(
                "{} of {} steps, {}",
                steps.ran,
                steps.all,
                seconds(steps.seconds)
            )
        };
        let name = format!("after a change of `{}`", visible_line(file));
        rows.push([name, steps(before), steps(after), String::new()]);
    }
    if let Some(scans) = &tried.scans {
        let [was, is] = scans.map(severities);
        rows.push([
            "vulnerabilities".to_owned(),
            was,
            is,
            "critical/high/medium/low/unknown".to_owned(),
        ]);
    }
    rows
}

fn severities(one: Severities) -> String {
    let Severities {
        critical,
        high,
        medium,
        low,
        unknown,
    } = one;
    [critical, high, medium, low, unknown]
        .map(|count| count.to_string())
        .join("/")
}

/// What else is to be said, a line each.
fn lines(tried: &Tried) -> Vec<String> {
    let mut lines = Vec::new();
    if !tried.rules.is_empty() {
        lines.push(format!("rules: {}", tried.rules.join(", ")));
    }
    if tried.after.is_some() {
        lines.extend(sameness(&tried.compared));
    }
    let differences = &tried.compared.unexpected;
    lines.extend(
        differences
            .iter()
            .take(SHOWN)
            .map(|one| visible_line(&one.to_string())),
    );
    if differences.len() > SHOWN {
        lines.push(format!("and {} more", differences.len() - SHOWN));
    }
    lines.extend(tried.exceeded.iter().cloned());
    lines.extend(tried.notes.iter().map(|note| visible_line(note)));
    lines
}

/// `configuration: the same`, `files: 12 differences as declared (packages 9, caches 3), 5 as in any two builds`,
/// `answer: the same, status 200`; nothing of what differs unexpectedly.
fn sameness(compared: &Compared) -> Vec<String> {
    let differs = |is: fn(&Difference) -> bool| compared.unexpected.iter().any(is);
    let is_config = |one: &Difference| matches!(one, Difference::Config { .. });
    let is_file = |one: &Difference| matches!(one, Difference::File { .. });
    let mut lines = Vec::new();
    let config = declared(compared, is_config);
    match config {
        Some(declared) => lines.push(format!("configuration: {declared}")),
        None if !differs(is_config) => lines.push("configuration: the same".to_owned()),
        None => {}
    }
    let noise = match compared.noise {
        0 => None,
        noise => Some(format!(
            "{} as between any two builds",
            count(noise, "difference")
        )),
    };
    let parts: Vec<String> = declared(compared, is_file)
        .into_iter()
        .chain(noise)
        .collect();
    if !parts.is_empty() {
        lines.push(format!("files: {}", parts.join(", ")));
    } else if !differs(is_file) {
        lines.push("files: the same".to_owned());
    }
    if let Some(answer) = &compared.answer {
        lines.push(format!("answer: the same, with status {}", answer.status));
    }
    lines
}

/// `12 differences as declared (packages 9, caches 3)`
fn declared(compared: &Compared, is: fn(&Difference) -> bool) -> Option<String> {
    let mut by_effect: Vec<(String, usize)> = Vec::new();
    for (_, effect) in compared.expected.iter().filter(|(one, _)| is(one)) {
        let effect = effect.to_string();
        match by_effect.iter_mut().find(|(name, _)| *name == effect) {
            Some((_, number)) => *number += 1,
            None => by_effect.push((effect, 1)),
        }
    }
    let number: usize = by_effect.iter().map(|(_, number)| number).sum();
    let parts = by_effect
        .iter()
        .map(|(effect, number)| format!("{effect} {number}"));
    let parts: Vec<String> = parts.collect();
    (number > 0).then(|| {
        format!(
            "{} as declared ({})",
            count(number, "difference"),
            parts.join(", ")
        )
    })
}

fn verdict(tried: &Tried) -> String {
    let rule = tried
        .culprit
        .as_ref()
        .map(|rule| format!("; it begins with `{rule}`"));
    let rule = rule.unwrap_or_default();
    if tried.after.is_none() {
        return format!("not verified: the rewritten file does not build{rule}");
    }
    match tried.compared.unexpected.len() {
        0 if !tried.exceeded.is_empty() => "not verified: over the budget".to_owned(),
        0 if tried.compared.expected.is_empty() => "verified: nothing differs".to_owned(),
        0 => "verified: nothing differs but what the rules declare".to_owned(),
        number if tried.rules.is_empty() => {
            format!("not verified: {}", count(number, "difference"))
        }
        number => format!(
            "not verified: {} that no rule declares{rule}",
            count(number, "difference")
        ),
    }
}

/// `−69.9 %`
fn percent(before: u64, after: u64) -> String {
    if before == 0 {
        return String::new();
    }
    let change = (after as f64 - before as f64) / before as f64 * 100.0;
    match change < 0.0 {
        true => format!("−{:.1} %", -change),
        false => format!("+{change:.1} %"),
    }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

/// The results as one JSON document.
pub fn json(engine: &str, results: &[Verified]) -> String {
    let files = results.iter().map(file);
    let document = Document {
        version: VERSION,
        engine,
        files: files.collect(),
    };
    // Strings and numbers alone: nothing of it can fail.
    serde_json::to_string(&document).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    engine: &'a str,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    path: String,
    /// `unchanged`, `original-does-not-build`, `rewritten-does-not-build`, `verified`, `differs`, `over-budget`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out: &'a [LeftOut],
    #[serde(flatten)]
    tried: Option<TriedRow<'a>>,
}

#[derive(Serialize)]
struct TriedRow<'a> {
    rules: &'a [String],
    before: &'a Measures,
    after: Option<&'a Measures>,
    rebuilds: &'a [Rebuilt],
    unexpected: Vec<DifferenceRow>,
    expected: Vec<DifferenceRow>,
    noise: usize,
    culprit: Option<&'a str>,
    exceeded: &'a [String],
    vulnerabilities: Option<[Severities; 2]>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct DifferenceRow {
    /// `config`, `file` or `answer`.
    kind: &'static str,
    /// The key or path.
    subject: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<String>,
}

fn file(one: &Verified) -> File<'_> {
    let (result, said, tried) = match &one.outcome {
        Outcome::Unchanged => ("unchanged", None, None),
        Outcome::NotBuilt(said) => ("original-does-not-build", Some(said.as_str()), None),
        Outcome::Tried(tried) => (result(tried), tried.said.as_deref(), Some(tried_row(tried))),
    };
    File {
        path: one.path.to_string_lossy().into_owned(),
        result,
        said,
        left_out: &one.left_out,
        tried,
    }
}

fn result(tried: &Tried) -> &'static str {
    match tried {
        Tried { after: None, .. } => "rewritten-does-not-build",
        _ if !tried.compared.is_verified() => "differs",
        _ if !tried.exceeded.is_empty() => "over-budget",
        _ => "verified",
    }
}

fn tried_row(tried: &Tried) -> TriedRow<'_> {
    let expected = tried.compared.expected.iter();
    TriedRow {
        rules: &tried.rules,
        before: &tried.before,
        after: tried.after.as_ref(),
        rebuilds: &tried.rebuilds,
        unexpected: tried
            .compared
            .unexpected
            .iter()
            .map(|one| row(one, None))
            .collect(),
        expected: expected
            .map(|(one, effect)| row(one, Some(effect.to_string())))
            .collect(),
        noise: tried.compared.noise,
        culprit: tried.culprit.as_deref(),
        exceeded: &tried.exceeded,
        vulnerabilities: tried.scans,
        notes: &tried.notes,
    }
}

fn row(difference: &Difference, effect: Option<String>) -> DifferenceRow {
    let (kind, subject) = match difference {
        Difference::Config { key, .. } => ("config", (*key).to_owned()),
        Difference::File { path, .. } => ("file", path.clone()),
        Difference::Answer { .. } => ("answer", String::new()),
    };
    DifferenceRow {
        kind,
        subject,
        message: difference.to_string(),
        effect,
    }
}
