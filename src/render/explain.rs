//! Explanations for people: a rule, or what every rule made of a file.

use std::fmt::Write as _;
use std::path::Path;

use super::{BOLD, Look, RULE, diff, human, visible_line};
use crate::report::{Finding, Report};
use crate::rule::{Effect, Rule};

/// Why the rule exists, what it changes, when it declines, and its examples as diffs.
pub fn rule(rule: &Rule, look: Look) -> Vec<u8> {
    let id = look.paint(RULE, &rule.id);
    let mut out = format!("{id}: {}\n\n", rule.summary);
    let default = if rule.enabled { "on" } else { "off" };
    out.push_str(&format!(
        "Phase {}, {}, {default}. ",
        rule.phase, rule.applicability
    ));
    out.push_str(&changes(&rule.effects));
    out.push_str(&format!("\n\n{}\n", rule.why.trim()));
    if let Some(estimate) = &rule.estimate {
        let (saving, source) = (human::saving(estimate.saving), &estimate.source);
        out.push_str(&format!("\nEach finding saves {saving}: {source}.\n"));
    }
    if !rule.declines.is_empty() {
        out.push_str(&format!("\n{}\n", look.paint(BOLD, "Left alone:")));
        let lines = rule.declines.iter().map(|reason| format!("- {reason}\n"));
        out.extend(lines);
    }
    let mut out = out.into_bytes();
    for example in rule.examples.iter() {
        let (before, after) = (example.before.as_bytes(), example.after.as_bytes());
        if before != after {
            out.push(b'\n');
            out.extend(diff::unified(
                Path::new("Dockerfile"),
                Some(before),
                after,
                look,
            ));
        }
        for (path, after) in &example.writes {
            let before = example.files.get(path).map(String::as_bytes);
            out.push(b'\n');
            out.extend(diff::unified(
                Path::new(path),
                before,
                after.as_bytes(),
                look,
            ));
        }
    }
    out
}

/// Why the rule exists, what it changes and when it declines, as text that is Markdown as well.
pub fn markdown(rule: &Rule) -> String {
    let mut help = rule.why.trim().to_owned();
    if !rule.effects.is_empty() {
        help.push_str("\n\nMay change:\n");
        for effect in &rule.effects {
            let _ = write!(help, "\n- {}", human::effect(effect));
        }
    }
    if !rule.declines.is_empty() {
        help.push_str("\n\nLeft alone:\n");
        for reason in rule.declines.iter() {
            let _ = write!(help, "\n- {reason}");
        }
    }
    let _ = write!(help, "\n\n`dockeropt explain {}` shows examples.", rule.id);
    help
}

fn changes(effects: &[Effect]) -> String {
    if effects.is_empty() {
        return "Changes the text only: the image is the same.".to_owned();
    }
    let parts: Vec<_> = effects.iter().map(human::effect).collect();
    format!("May change: {}.", parts.join("; "))
}

/// What fired, and what was left alone and why, in the order of the text; before it what `context` says of the build
/// context.
pub fn file(report: &Report, context: &str, look: Look) -> String {
    let fired = report
        .findings
        .iter()
        .map(|finding| (finding.span, reasons(finding)));
    let declined = report
        .declined
        .iter()
        .map(|decline| (decline.span, String::new()));
    let texts = human::findings(report, look) + &human::declined(report, look);
    let lines = fired.chain(declined).zip(texts.lines());
    let lines = lines.map(|((span, reasons), line)| (span, format!("{line}\n{reasons}")));
    let mut lines: Vec<_> = lines.collect();
    lines.sort_by_key(|(span, _)| span.start);
    let path = visible_line(&report.source.path.to_string_lossy());
    let mut out = format!("{path}: {}\n", visible_line(context));
    if lines.is_empty() && report.refused.is_empty() {
        out.push_str(&format!("{path}: no rule has anything to say\n"));
    }
    for (_, line) in lines {
        out.push_str(&line);
    }
    out.push_str(&human::rebuilds(report));
    out.push_str(&suggested(report, look));
    out
}

/// Why the fix of a finding is as it is, a line each.
fn reasons(finding: &Finding) -> String {
    let fix = finding.fix.iter();
    let reasons = fix.flat_map(|fix| &fix.reasons);
    reasons
        .map(|reason| format!("  - {}\n", visible_line(reason)))
        .collect()
}

/// What is only suggested, as a patch of what the fixes leave.
fn suggested(report: &Report, look: Look) -> String {
    let Some(after) = &report.suggested else {
        return String::new();
    };
    let path = &report.source.path;
    let patch = diff::unified(path, Some(&report.output), after, look);
    let patch = String::from_utf8_lossy(&patch).into_owned();
    let heading = look.paint(BOLD, "Suggested, for you to make:");
    format!("\n{heading}\n{patch}")
}
