//! Holds a configuration against the rules: which of them run, and how.

use super::{Config, ConfigError, Override, Placed};
use crate::rule::{Action, Rule, UnknownName};

impl Config {
    /// `rules` as configured: `enabled`, `applicability` and options are set. Rules that do not run stay in the list,
    /// with `enabled = false`.
    ///
    /// A rule runs that is selected, or where nothing is selected is one of the preset; `[rules.<id>] enabled` changes it
    /// one by one, and `ignore` has the last word. A rule of the other `cache` style does not run.
    ///
    /// `applicability` may be lowered, never raised: *safe* is a promise about the image, which no configuration makes
    /// true. What a team wants written all the same it gets with `--unsafe`, and `--select` for these rules alone.
    ///
    /// # Errors
    /// The first decision that cannot be followed: an unknown rule, a rule selected against `cache`, a raised
    /// applicability, an unknown option, an option of another type or outside its values.
    pub fn apply(&self, rules: Vec<Rule>) -> Result<Vec<Rule>, ConfigError> {
        let mut rules = rules;
        let cache = self.cache.unwrap_or(crate::rule::CacheStyle::Clean);
        if let Some(preset) = self.preset {
            rules
                .iter_mut()
                .for_each(|rule| rule.enabled = preset.has(rule));
        }
        if let Some(select) = &self.select {
            rules.iter_mut().for_each(|rule| rule.enabled = false);
            for id in select {
                let rule = find(&mut rules, id)?;
                if let Some(needed) = rule.cache.filter(|needed| *needed != cache) {
                    let message = format!(
                        "rule `{}` needs `cache = \"{needed}\"`, which is `\"{cache}\"`",
                        id.value
                    );
                    return Err(id.error(message));
                }
                rule.enabled = true;
            }
        }
        for rule in &self.rules {
            rule.apply(find(&mut rules, &rule.id)?)?;
        }
        for id in &self.ignore {
            find(&mut rules, id)?.enabled = false;
        }
        for rule in &mut rules {
            rule.enabled &= rule.cache.is_none_or(|needed| needed == cache);
        }
        Ok(rules)
    }
}

/// `rules` and one rule more, from a folder that `extend` names.
///
/// # Errors
/// Where there is a rule with that id: an own rule never replaces one silently.
pub fn admit(
    rules: &mut Vec<Rule>,
    folder: &Placed<std::path::PathBuf>,
    rule: Rule,
) -> Result<(), ConfigError> {
    if rules.iter().any(|other| other.id == rule.id) {
        let message = format!("a rule `{}` is there already", rule.id);
        return Err(folder.error(message));
    }
    rules.push(rule);
    Ok(())
}

impl Override {
    fn apply(&self, rule: &mut Rule) -> Result<(), ConfigError> {
        rule.enabled = self.enabled.unwrap_or(rule.enabled);
        if let Some(wanted) = &self.applicability {
            if wanted.value > rule.applicability {
                let message = format!(
                    "rule `{}` is {}: its applicability may be lowered, not raised to {}",
                    rule.id, rule.applicability, wanted.value
                );
                return Err(wanted.error(message));
            }
            rule.applicability = wanted.value;
        }
        for (name, value) in &self.options {
            set_option(rule, name, value)?;
        }
        Ok(())
    }
}

fn set_option(rule: &mut Rule, name: &str, value: &Placed<toml::Value>) -> Result<(), ConfigError> {
    let Some(option) = rule.options.get(name) else {
        let unknown = UnknownName::new("option", name, rule.options.keys().cloned());
        return Err(value.error(format!("rule `{}`: {unknown}", rule.id)));
    };
    if let Some(fault) = option.fault(&value.value) {
        return Err(value.error(format!("option `{name}` {fault}")));
    }
    if let Action::Pass { options, .. } = &mut rule.action {
        options.insert(name.to_owned(), value.value.clone());
    }
    Ok(())
}

fn find<'r>(rules: &'r mut [Rule], id: &Placed<String>) -> Result<&'r mut Rule, ConfigError> {
    let Some(at) = rules.iter().position(|rule| rule.id == id.value) else {
        let all = rules.iter().map(|rule| rule.id.clone());
        let unknown = UnknownName::new("rule", &id.value, all).briefly();
        return Err(id.error(format!("{unknown} (`dockeropt rules` lists them)")));
    };
    Ok(&mut rules[at])
}

impl<T> Placed<T> {
    fn error(&self, message: String) -> ConfigError {
        let place = self.place.clone();
        ConfigError { place, message }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rule::{Applicability, parse};

    /// Three rules: `base` as given, `cleaner` for `cache = "clean"`, `shy` off by default.
    fn rules() -> Vec<Rule> {
        let rule = |id: &str, more: &str| {
            let text = format!(
                "summary = 'Do it'\nphase = 'layers'\napplicability = 'unsafe'\neffects = ['layers']\n\
                 why = 'Because.'\npass = 'join-steps'\n{more}\n\
                 [options.when]\nabout = 'which'\ndefault = 'related'\nvalues = ['related', 'all']\n\
                 [[example]]\nbefore = 'a'\nafter = 'b'\n"
            );
            parse(Path::new(&format!("rules/{id}.toml")), &text).unwrap()
        };
        vec![
            rule("base", ""),
            rule("cleaner", "cache = 'clean'"),
            rule("shy", "enabled = false"),
        ]
    }

    fn apply(text: &str) -> Result<Vec<Rule>, ConfigError> {
        Config::parse(Path::new("dockeropt.toml"), text)?.apply(rules())
    }

    #[track_caller]
    fn check_enabled(text: &str, expected: &[&str]) {
        let rules = apply(text).unwrap();
        let enabled = rules.iter().filter(|rule| rule.enabled);
        let enabled: Vec<&str> = enabled.map(|rule| rule.id.as_str()).collect();
        assert_eq!(enabled, expected, "with {text:?}");
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(apply(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn rules_are_switched_on_and_off() {
        check_enabled("", &["base", "cleaner"]);
        check_enabled("select = ['shy']", &["shy"]);
        check_enabled("select = []", &[]);
        check_enabled("ignore = ['base']", &["cleaner"]);
        check_enabled("rules.shy.enabled = true", &["base", "cleaner", "shy"]);
        check_enabled(
            "ignore = ['shy']\nrules.shy.enabled = true",
            &["base", "cleaner"],
        );
        check_enabled("cache = 'mount'", &["base"]);
        check_enabled("cache = 'mount'\nrules.cleaner.enabled = true", &["base"]);
    }

    #[test]
    fn presets_say_what_runs_where_nothing_else_does() {
        check_enabled("preset = 'recommended'", &["base", "cleaner"]);
        check_enabled("preset = 'all'", &["base", "cleaner", "shy"]);
        check_enabled("preset = 'all'\nignore = ['base']", &["cleaner", "shy"]);
        check_enabled("preset = 'minimal'\nrules.shy.enabled = true", &["shy"]);
        check_enabled("preset = 'all'\nselect = ['base']", &["base"]);
    }

    #[test]
    fn options_and_applicability_are_set() {
        let rules = apply("[rules.base]\napplicability = 'suggestion'\noptions.when = 'all'");
        let rules = rules.unwrap();
        assert_eq!(rules[0].applicability, Applicability::Suggestion);
        assert_eq!(rules[0].option("when"), Some(&"all".into()));
        assert_eq!(rules[1].option("when"), Some(&"related".into()));
    }

    #[test]
    fn unknown_rules_are_refused_where_they_stand() {
        check_error(
            "select = ['base',\n 'cleanr']",
            "dockeropt.toml:2: unknown rule `cleanr`, did you mean `cleaner`? \
             (`dockeropt rules` lists them)",
        );
        check_error(
            "\n\n[rules.nothing]\nenabled = true",
            "dockeropt.toml:3: unknown rule `nothing` (`dockeropt rules` lists them)",
        );
        let flags = Config::from_flags(None, vec!["bass".to_owned()]);
        assert_eq!(
            flags.apply(rules()).unwrap_err().to_string(),
            "--ignore: unknown rule `bass`, did you mean `base`? (`dockeropt rules` lists them)"
        );
    }

    #[test]
    fn a_rule_is_not_selected_against_the_cache_style() {
        check_error(
            "cache = 'mount'\nselect = ['cleaner']",
            "dockeropt.toml:2: rule `cleaner` needs `cache = \"clean\"`, which is `\"mount\"`",
        );
    }

    #[test]
    fn applicability_is_not_raised() {
        check_error(
            "[rules.base]\napplicability = 'safe'",
            "dockeropt.toml:2: rule `base` is unsafe: its applicability may be lowered, not raised to safe",
        );
    }

    #[test]
    fn options_are_held_against_the_rule() {
        check_error(
            "[rules.base.options]\nwhem = 'all'",
            "dockeropt.toml:2: rule `base`: unknown option `whem`, did you mean `when`? (allowed: `when`)",
        );
        check_error(
            "[rules.base]\noptions = { when = 1 }",
            "dockeropt.toml:2: option `when` is of type integer, expected string",
        );
        check_error(
            "[rules.base.options]\nwhen = 'al'",
            "dockeropt.toml:2: option `when` has the unknown value `al`, did you mean `all`? \
             (allowed: `related`, `all`)",
        );
    }

    #[test]
    fn an_own_rule_never_replaces_one() {
        let folder = Placed {
            value: "ci".into(),
            place: super::super::Place::File("dockeropt.toml".into(), 4),
        };
        let mut all = rules();
        let again = all[0].clone();
        let mut other = again.clone();
        other.id = "other".to_owned();
        assert_eq!(
            admit(&mut all, &folder, again).unwrap_err().to_string(),
            "dockeropt.toml:4: a rule `base` is there already"
        );
        admit(&mut all, &folder, other).unwrap();
        assert_eq!(all.len(), 4);
    }
}
