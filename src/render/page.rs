//! The page of a rule in the documentation, in Markdown.

use std::fmt::Write as _;
use std::path::Path;

use super::{Look, diff, human};
use crate::rule::{Applicability, CacheStyle, Effect, Example, Rule};

/// Why the rule exists, what it changes, before and after, its options, when it declines, and where that is tried.
pub fn rule(rule: &Rule) -> String {
    let mut out = format!("# {}\n\n{}.\n\n", rule.id, rule.summary);
    out.push_str(&facts(rule));
    let _ = write!(out, "\n## Why\n\n{}\n", rule.why.trim());
    let shown = rule.examples.iter().map(example).collect::<String>();
    if !shown.is_empty() {
        let _ = write!(out, "\n## Before and after\n{shown}");
    }
    out.push_str(&options(rule));
    if !rule.declines.is_empty() {
        out.push_str("\n## When it leaves a file alone\n\n");
        for reason in rule.declines.iter() {
            let _ = writeln!(out, "- {reason}");
        }
    }
    out.push_str(&evidence(rule));
    out
}

fn facts(rule: &Rule) -> String {
    let mut out = String::from("| | |\n| --- | --- |\n");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "| {name} | {} |", value.replace('|', "\\|"));
    };
    row("phase", &rule.phase.to_string());
    row("applicability", written(rule.applicability));
    let when = match (rule.enabled, rule.cache) {
        (false, _) => Some("when `enabled = true` in `dockeropt.toml`"),
        (true, Some(CacheStyle::Mount)) => Some("with `cache = \"mount\"`"),
        (true, Some(CacheStyle::Clean)) => Some("unless `cache = \"mount\"`"),
        (true, None) => None,
    };
    if let Some(when) = when {
        row("on", when);
    }
    row("may change", &effects(&rule.effects));
    if let Some(estimate) = &rule.estimate {
        row("saves", &human::saving(estimate.saving));
    }
    if !rule.aliases.is_empty() {
        let names = rule.aliases.iter().map(|alias| format!("`{alias}`"));
        row("suppressed as", &names.collect::<Vec<_>>().join(", "));
    }
    out
}

fn written(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Safe => "safe: written by default",
        Applicability::Unsafe => "unsafe: written with `--unsafe`",
        Applicability::Suggestion => "suggestion: shown, never written",
    }
}

fn effects(effects: &[Effect]) -> String {
    match effects {
        [] => "the text only: the image is the same".to_owned(),
        _ => effects
            .iter()
            .map(human::effect)
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// The patches of an example; nothing where the rule leaves it alone.
fn example(example: &Example) -> String {
    let mut patches = Vec::new();
    let (before, after) = (example.before.as_bytes(), example.after.as_bytes());
    let plain = Look::default();
    patches.extend(diff::unified(
        Path::new("Dockerfile"),
        Some(before),
        after,
        plain,
    ));
    for (path, after) in &example.writes {
        let before = example.files.get(path).map(String::as_bytes);
        patches.extend(diff::unified(
            Path::new(path),
            before,
            after.as_bytes(),
            plain,
        ));
    }
    if patches.is_empty() {
        return String::new();
    }
    format!("\n```diff\n{}```\n", String::from_utf8_lossy(&patches))
}

fn options(rule: &Rule) -> String {
    if rule.options.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "\n## Options\n\nIn `[rules.{}.options]` of `dockeropt.toml`:\n\n| option | default | values | what it decides |\n\
         | --- | --- | --- | --- |\n",
        rule.id
    );
    for (name, option) in &rule.options {
        let values = option.values.iter().map(|value| format!("`\"{value}\"`"));
        let values = values.collect::<Vec<_>>().join(", ");
        let about = option.about.replace('|', "\\|");
        let _ = writeln!(
            out,
            "| `{name}` | `{}` | {values} | {about} |",
            option.default
        );
    }
    let refused = rule.options.iter().flat_map(|(name, option)| {
        let refused = option.refused.iter();
        refused.map(move |(value, why)| format!("- `{name} = \"{value}\"`: {why}\n"))
    });
    let refused: String = refused.collect();
    if !refused.is_empty() {
        let _ = write!(out, "\nRefused, with the reason:\n\n{refused}");
    }
    out
}

fn evidence(rule: &Rule) -> String {
    let id = &rule.id;
    let mut out = String::from("\n## Evidence\n\n");
    if let Some(estimate) = &rule.estimate {
        let _ = writeln!(out, "What it saves: {}.\n", estimate.source);
    }
    let _ = writeln!(
        out,
        "The cases, each a Dockerfile with its build context, are in `tests/cases/{id}`; what becomes of them, and why \
         what is left alone is left alone, is in `snapshots/{id}`."
    );
    out
}
