//! Holds a configuration against the rules: which of them run, and how.

use std::collections::BTreeMap;

use super::{Config, ConfigError, Override, Place, Placed};
use crate::rule::{Action, CacheStyle, Rule, UnknownName};

/// A rule as configured, and who decided what about it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The rule; one that does not run has `enabled = false`.
    pub rule: Rule,
    /// Who decided whether it runs.
    pub enabled: Origin,
    /// Who decided its applicability.
    pub applicability: Origin,
    /// Who set options of it; what is not here has its default.
    pub options: BTreeMap<String, Origin>,
}

/// Who decided something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: it is so where nothing is configured.
    Default,
    /// A user.
    User {
        /// With this key: `select`, `rules.join-runs.enabled`.
        key: String,
        /// Where.
        place: Place,
    },
}

impl Config {
    /// `rules` as configured: `enabled`, `applicability` and options are set. Rules that do not run stay in the list,
    /// with `enabled = false`.
    ///
    /// # Errors
    /// As [`Config::decide`].
    pub fn apply(&self, rules: Vec<Rule>) -> Result<Vec<Rule>, ConfigError> {
        let decisions = self.decide(rules)?.into_iter();
        Ok(decisions.map(|decision| decision.rule).collect())
    }

    /// `rules` as configured, and where that was decided.
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
    pub fn decide(&self, rules: Vec<Rule>) -> Result<Vec<Decision>, ConfigError> {
        let mut rules: Vec<Decision> = rules.into_iter().map(Decision::new).collect();
        let cache = self.cache_style();
        if let Some(preset) = &self.preset {
            for one in &mut rules {
                one.enable(preset.value.has(&one.rule), "preset", preset);
            }
        }
        if let Some(select) = &self.select {
            rules
                .iter_mut()
                .for_each(|one| one.enable(false, "select", select));
            for id in &select.value {
                let one = find(&mut rules, id)?;
                if let Some(needed) = one.rule.cache.filter(|needed| *needed != cache) {
                    let message = format!(
                        "rule `{}` needs `cache = \"{needed}\"`, which is `\"{cache}\"`",
                        id.value
                    );
                    return Err(id.error(message));
                }
                one.enable(true, "select", id);
            }
        }
        for rule in &self.rules {
            find(&mut rules, &rule.id)?.set(rule)?;
        }
        for id in &self.ignore {
            find(&mut rules, id)?.enable(false, "ignore", id);
        }
        for one in &mut rules {
            one.hold_against(cache, self.cache.as_ref());
        }
        Ok(rules)
    }

    /// `cache`, or its default.
    pub fn cache_style(&self) -> CacheStyle {
        let cache = self.cache.as_ref().map(|cache| cache.value);
        cache.unwrap_or(CacheStyle::Clean)
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

impl Decision {
    fn new(rule: Rule) -> Self {
        Self {
            rule,
            enabled: Origin::Default,
            applicability: Origin::Default,
            options: BTreeMap::new(),
        }
    }

    fn enable<T>(&mut self, enabled: bool, key: impl Into<String>, by: &Placed<T>) {
        self.rule.enabled = enabled;
        self.enabled = by.origin(key);
    }

    /// Follows `[rules.<id>]`.
    fn set(&mut self, decided: &Override) -> Result<(), ConfigError> {
        let key = |name: &str| format!("rules.{}.{name}", decided.id.value);
        if let Some(enabled) = &decided.enabled {
            self.enable(enabled.value, key("enabled"), enabled);
        }
        let rule = &mut self.rule;
        if let Some(wanted) = &decided.applicability {
            if wanted.value > rule.applicability {
                let message = format!(
                    "rule `{}` is {}: its applicability may be lowered, not raised to {}",
                    rule.id, rule.applicability, wanted.value
                );
                return Err(wanted.error(message));
            }
            rule.applicability = wanted.value;
            self.applicability = wanted.origin(key("applicability"));
        }
        for (name, value) in &decided.options {
            set_option(rule, name, value)?;
            let origin = value.origin(key(&format!("options.{name}")));
            self.options.insert(name.clone(), origin);
        }
        Ok(())
    }

    /// Takes away what needs the other style of caches than `cache`, which `by` decided if anybody did.
    fn hold_against(&mut self, cache: CacheStyle, by: Option<&Placed<CacheStyle>>) {
        let Some(needed) = self.rule.cache.filter(|_| self.rule.enabled) else {
            return;
        };
        self.rule.enabled = needed == cache;
        match by {
            Some(by) if needed != cache || self.enabled == Origin::Default => {
                self.enabled = by.origin("cache");
            }
            None if needed != cache => self.enabled = Origin::Default,
            _ => {}
        }
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

fn find<'r>(
    rules: &'r mut [Decision],
    id: &Placed<String>,
) -> Result<&'r mut Decision, ConfigError> {
    let Some(at) = rules.iter().position(|one| one.rule.id == id.value) else {
        let all = rules.iter().map(|one| one.rule.id.clone());
        let unknown = UnknownName::new("rule", &id.value, all).briefly();
        return Err(id.error(format!("{unknown} (`dockeropt rules` lists them)")));
    };
    Ok(&mut rules[at])
}

impl<T> Placed<T> {
    fn origin(&self, key: impl Into<String>) -> Origin {
        let (key, place) = (key.into(), self.place.clone());
        Origin::User { key, place }
    }

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

    #[track_caller]
    fn check_origins(text: &str, expected: [&str; 3]) {
        let config = Config::parse(Path::new("dockeropt.toml"), text).unwrap();
        let origins = config.decide(rules()).unwrap().into_iter();
        let origins = origins.map(|one| match one.enabled {
            Origin::Default => "default".to_owned(),
            Origin::User { key, place } => format!("{key} {place}"),
        });
        let expected = expected.map(|one| one.replace('@', "dockeropt.toml:"));
        assert_eq!(origins.collect::<Vec<_>>(), expected, "with {text:?}");
    }

    #[test]
    fn who_decided_is_known() {
        check_origins("", ["default"; 3]);
        check_origins("preset = 'all'", ["preset @1"; 3]);
        check_origins(
            "select = [\n'base']",
            ["select @2", "select @1", "select @1"],
        );
        check_origins(
            "ignore = ['base']\ncache = 'mount'\nrules.shy.enabled = true",
            ["ignore @1", "cache @2", "rules.shy.enabled @3"],
        );
        check_origins("cache = 'clean'", ["default", "cache @1", "default"]);
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
