//! Comments by which an author keeps a rule away: from one instruction, or from the whole file.
//!
//! Our own (`# dockeropt: ignore=apt-lists because …`, `# dockeropt: ignore-file=…`), hadolint's
//! (`# hadolint ignore=DL3009`, `# hadolint global ignore=…`) and BuildKit's (`# check=skip=…`, as a parser directive
//! or above an instruction) count alike, for the rules that correspond.

use crate::rule::Rule;
use crate::syntax::{Dockerfile, Item};
use crate::text::Span;

/// The suppressions of one file.
#[derive(Debug, Default)]
pub(super) struct Suppressions {
    file: Vec<String>,
    /// The instruction's span and the names, in the order of the text.
    instructions: Vec<(Span, Vec<String>)>,
}

impl Suppressions {
    /// Reads the comments of `file`.
    pub(super) fn of(file: &Dockerfile, text: &[u8]) -> Self {
        let mut found = Self::default();
        let mut above: Vec<String> = Vec::new();
        for item in &file.items {
            match item {
                Item::Directive(directive) if directive.name == "check" => {
                    found.file.extend(skipped(&directive.value));
                }
                Item::Comment(span) => found.comment(span.of(text), &mut above),
                Item::Instruction(instruction) => {
                    let mut names = std::mem::take(&mut above);
                    for comment in &instruction.comments {
                        found.comment(comment.of(text), &mut names);
                    }
                    if !names.is_empty() {
                        found.instructions.push((instruction.span, names));
                    }
                }
                Item::Blank(_) => above.clear(),
                Item::Directive(_) => {}
            }
        }
        found
    }

    /// Whether a comment keeps `rule` away from what stands at `span`.
    pub(super) fn cover(&self, rule: &Rule, span: Span) -> bool {
        let names = |names: &[String]| names.iter().any(|name| is_meant(rule, name));
        let from = self
            .instructions
            .partition_point(|(place, _)| place.end <= span.start);
        let mut here = self.instructions[from..]
            .iter()
            .take_while(|(place, _)| place.start < span.end.max(span.start + 1));
        names(&self.file) || here.any(|(_, here)| names(here))
    }

    /// Reads one comment line; what it says of the next instruction goes to `next`.
    fn comment(&mut self, line: &[u8], next: &mut Vec<String>) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim().trim_start_matches('#').trim_start();
        let (tool, rest) = line
            .split_once([':', ' '])
            .map_or((line, ""), |(tool, rest)| (tool, rest.trim_start()));
        match tool {
            "dockeropt" => {
                if let Some(list) = rest.strip_prefix("ignore-file=") {
                    self.file.extend(listed(list));
                } else if let Some(list) = rest.strip_prefix("ignore=") {
                    next.extend(listed(list));
                }
            }
            "hadolint" => {
                if let Some(list) = value_of(rest, "global ignore") {
                    self.file.extend(listed(list));
                } else if let Some(list) = value_of(rest, "ignore") {
                    next.extend(listed(list));
                }
            }
            _ => {
                if let Some(value) = line.strip_prefix("check=") {
                    next.extend(skipped(value));
                }
            }
        }
    }
}

/// The text behind `key =`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(key)?.trim_start();
    Some(rest.strip_prefix('=')?.trim_start())
}

/// The names of a list such as `a,b because of c`.
fn listed(list: &str) -> Vec<String> {
    let end = list.char_indices().find(|(at, c)| {
        c.is_whitespace()
            && !list[..*at].ends_with(',')
            && !list[*at..].trim_start().starts_with(',')
    });
    let list = &list[..end.map_or(list.len(), |(at, _)| at)];
    let names = list.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What `skip=A,B;error=true` skips.
fn skipped(value: &str) -> Vec<String> {
    let parts = value.split(';').map(str::trim);
    parts
        .filter_map(|part| part.strip_prefix("skip="))
        .flat_map(listed)
        .collect()
}

/// Whether `name` is the rule's id, the name of a check that corresponds to it, or `all`.
fn is_meant(rule: &Rule, name: &str) -> bool {
    name == "all" || name == rule.id || rule.answers_to(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule;

    fn kept_away(text: &str, id: &str, line: &str) -> bool {
        let file = Dockerfile::parse(text.as_bytes());
        let found = Suppressions::of(&file, text.as_bytes());
        let at = text.find(line).unwrap() as u32;
        let rule = rule::builtin().iter().find(|rule| rule.id == id).unwrap();
        found.cover(rule, Span::new(at, at + line.len() as u32))
    }

    #[test]
    fn a_comment_above_or_inside_an_instruction_keeps_its_rules_away_from_it() {
        let text = "FROM a\n# dockeropt: ignore=apt-lists, pip-no-cache because we like it\nRUN x\nRUN y\n";
        assert!(kept_away(text, "apt-lists", "RUN x"));
        assert!(kept_away(text, "pip-no-cache", "RUN x"));
        assert!(!kept_away(text, "apk-no-cache", "RUN x"));
        assert!(!kept_away(text, "apt-lists", "RUN y"));
        let inside = "FROM a\nRUN x && \\\n# dockeropt: ignore=apt-lists\n  y\n";
        assert!(kept_away(inside, "apt-lists", "RUN x"));
        let apart = "FROM a\n# dockeropt: ignore=apt-lists\n\nRUN x\n";
        assert!(!kept_away(apart, "apt-lists", "RUN x"));
    }

    #[test]
    fn a_file_can_be_kept_from_a_rule() {
        let text = "# dockeropt: ignore-file=apt-lists\nFROM a\nRUN x\n";
        assert!(kept_away(text, "apt-lists", "RUN x"));
        assert!(!kept_away(text, "pip-no-cache", "RUN x"));
    }

    #[test]
    fn the_names_of_other_tools_count_for_the_rules_that_correspond() {
        let hadolint = "FROM a\n# hadolint ignore=DL3006,DL3009\nRUN x\n";
        assert!(kept_away(hadolint, "apt-lists", "RUN x"));
        assert!(!kept_away(hadolint, "pip-no-cache", "RUN x"));
        let global = "# hadolint global ignore=DL3042\nFROM a\nRUN x\n";
        assert!(kept_away(global, "pip-no-cache", "RUN x"));
        let check = "# check=skip=LegacyKeyValueFormat;error=true\nFROM a\nENV a b\n";
        assert!(kept_away(check, "env-key-value", "ENV a b"));
        let all = "# check=skip=all\nFROM a\nENV a b\n";
        assert!(kept_away(all, "env-key-value", "ENV a b"));
        let above = "FROM a\n# check=skip=LegacyKeyValueFormat\nENV a b\nENV c d\n";
        assert!(kept_away(above, "env-key-value", "ENV a b"));
        assert!(!kept_away(above, "env-key-value", "ENV c d"));
    }
}
