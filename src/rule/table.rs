//! All rules at a glance: the table of the README, and the rows that `dockeropt rules --format json` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{
    Action, Applicability, CacheStyle, Effect, Estimate, Example, Phase, Rule, RuleOption,
};

/// One rule as machines read it. Keys are stable once released.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row<'r> {
    /// [`Rule::id`].
    pub id: &'r str,
    /// [`Rule::summary`].
    pub summary: &'r str,
    /// [`Rule::phase`].
    pub phase: Phase,
    /// [`Rule::applicability`].
    pub applicability: Applicability,
    /// [`Rule::effects`].
    pub effects: &'r [Effect],
    /// [`Rule::enabled`].
    pub enabled: bool,
    /// [`Rule::cache`].
    pub cache: Option<CacheStyle>,
    /// [`Rule::aliases`].
    pub aliases: &'r [String],
    /// The coded pass; `None` for a declarative rule.
    pub pass: Option<&'r str>,
    /// [`Rule::why`].
    pub why: &'r str,
    /// [`Rule::declines`].
    pub declines: &'r [String],
    /// [`Rule::estimate`].
    pub estimate: Option<&'r Estimate>,
    /// [`Rule::options`].
    pub options: &'r BTreeMap<String, RuleOption>,
    /// [`Rule::examples`].
    pub examples: &'r [Example],
}

impl<'r> From<&'r Rule> for Row<'r> {
    fn from(rule: &'r Rule) -> Self {
        let pass = match &rule.action {
            Action::Pass { name, .. } => Some(name.as_str()),
            Action::Pattern(_) => None,
        };
        Self {
            id: &rule.id,
            summary: &rule.summary,
            phase: rule.phase,
            applicability: rule.applicability,
            effects: &rule.effects,
            enabled: rule.enabled,
            cache: rule.cache,
            aliases: &rule.aliases,
            pass,
            why: &rule.why,
            declines: &rule.declines,
            estimate: rule.estimate.as_ref(),
            options: &rule.options,
            examples: &rule.examples,
        }
    }
}

/// The rules as rows, by phase and id: the order in which they run.
pub fn rows(rules: &[Rule]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = rules.iter().map(Row::from).collect();
    rows.sort_by_key(|row| (row.phase, row.id));
    rows
}

/// The rules as a Markdown table, in the order of [`rows`].
pub fn markdown(rules: &[Rule]) -> String {
    let mut out = String::from("| rule | phase | applicability | what it does |\n");
    out.push_str("| --- | --- | --- | --- |\n");
    for row in rows(rules) {
        let summary = row.summary.replace('|', "\\|");
        let note = match (row.enabled, row.cache) {
            (false, _) => " (off by default)",
            (true, Some(CacheStyle::Mount)) => " (with `cache = \"mount\"`)",
            _ => "",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {summary}{note} |",
            row.id, row.phase, row.applicability
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rule::parse;

    fn rule(id: &str, phase: &str, more: &str) -> Rule {
        let text = format!(
            "summary = 'Use a|b'\nphase = '{phase}'\napplicability = 'unsafe'\neffects = ['config:cmd']\n\
             why = 'Because.'\npass = 'one-pass'\n{more}\n\
             [[example]]\nbefore = 'a'\nafter = 'b'\n"
        );
        parse(Path::new(&format!("{id}.toml")), &text).unwrap()
    }

    #[test]
    fn the_table_is_in_running_order() {
        let rules = [
            rule("b-rule", "layers", "enabled = false"),
            rule("a-rule", "layers", "cache = 'mount'"),
            rule("c-rule", "normalize", ""),
        ];
        assert_eq!(
            markdown(&rules),
            "| rule | phase | applicability | what it does |\n\
             | --- | --- | --- | --- |\n\
             | `c-rule` | normalize | unsafe | Use a\\|b |\n\
             | `a-rule` | layers | unsafe | Use a\\|b (with `cache = \"mount\"`) |\n\
             | `b-rule` | layers | unsafe | Use a\\|b (off by default) |\n"
        );
    }

    #[test]
    fn a_row_is_json() {
        let rules = [rule("a-rule", "layers", "cache = 'mount'")];
        let json = serde_json::to_value(rows(&rules)).unwrap();
        assert_eq!(
            json,
            serde_json::json!([{
                "id": "a-rule",
                "summary": "Use a|b",
                "phase": "layers",
                "applicability": "unsafe",
                "effects": ["config:cmd"],
                "enabled": true,
                "cache": "mount",
                "aliases": [],
                "pass": "one-pass",
                "why": "Because.",
                "declines": [],
                "estimate": null,
                "options": {},
                "examples": [{ "before": "a", "after": "b", "files": {}, "writes": {} }],
            }])
        );
    }
}
