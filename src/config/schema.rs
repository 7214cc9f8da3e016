//! The JSON schema of `dockeropt.toml`, for editors: made from the rules, and from what [`Config::parse`] accepts.
//!
//! [`Config::parse`]: super::Config::parse

use serde_json::{Map, Value, json};

use super::Preset;
use crate::rule::{Applicability, Form, Rule, RuleOption};

/// The schema where these rules are there. What it rejects is refused; a few things are refused that it cannot say, such
/// as an absolute path in `extend`.
pub fn schema(rules: &[Rule]) -> Value {
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    let tables: Map<String, Value> = rules
        .iter()
        .map(|rule| (rule.id.clone(), of_rule(rule)))
        .collect();
    let keys = [
        (
            "preset",
            "Which rules run where nothing else says so: those that only keep caches out of the image; those that are on by default; all.",
            json!({"enum": Preset::ALL, "default": Preset::Recommended}),
        ),
        (
            "overrides",
            "What is decided about some Dockerfiles only.",
            overrides(),
        ),
        (
            "select",
            "Only these rules run.",
            one_or_more(json!({"$ref": "#/definitions/rule"})),
        ),
        (
            "ignore",
            "These rules do not run.",
            one_or_more(json!({"$ref": "#/definitions/rule"})),
        ),
        (
            "extend",
            "Configurations that this one is laid over, and folders with rules of your own, relative to this file.",
            one_or_more(json!({"type": "string", "minLength": 1})),
        ),
        (
            "include",
            "Files that are Dockerfiles whatever their names, where a folder is searched: files or folders beside this file, or globs of them.",
            one_or_more(paths()),
        ),
        (
            "exclude",
            "Dockerfiles that are left out where a folder is searched: files or folders beside this file, or globs of them.",
            one_or_more(paths()),
        ),
        (
            "baseline",
            "The file with the findings that `check` leaves out, relative to this file.",
            json!({"type": "string", "minLength": 1}),
        ),
        (
            "cache",
            "What becomes of the caches of package managers: they are deleted, or kept outside the image in cache mounts.",
            json!({"enum": ["clean", "mount"], "default": "clean"}),
        ),
        (
            "rules",
            "What is decided about single rules.",
            json!({"$ref": "#/definitions/rules"}),
        ),
        ("budget", "How large images may become.", budget()),
    ];
    let keys = keys.map(|(key, about, value)| (key.to_owned(), described(value, about)));
    let mut schema = closed(keys.into_iter().collect());
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("dockeropt.toml");
    schema["definitions"] = json!({"rule": {"enum": ids}, "rules": closed(tables)});
    schema
}

/// `[rules.<id>]`.
fn of_rule(rule: &Rule) -> Value {
    let sure = Applicability::ALL.iter();
    let sure = sure.filter(|one| **one <= rule.applicability);
    let options = rule.options.iter();
    let options = options.map(|(name, option)| (name.clone(), of_option(option)));
    let keys = [
        (
            "enabled",
            described(
                json!({"type": "boolean", "default": rule.enabled}),
                "Whether it runs.",
            ),
        ),
        (
            "applicability",
            described(
                json!({"enum": sure.collect::<Vec<_>>(), "default": rule.applicability}),
                "How sure its fixes may claim to be: less than the rule claims, never more.",
            ),
        ),
        ("options", closed(options.collect())),
    ];
    let keys = keys.map(|(key, value)| (key.to_owned(), value));
    described(closed(keys.into_iter().collect()), &rule.summary)
}

fn of_option(option: &RuleOption) -> Value {
    let mut text = json!({"type": "string"});
    if !option.values.is_empty() {
        text["enum"] = json!(option.values);
    }
    if let Some(form) = option.form {
        text["pattern"] = json!(match form {
            Form::StageName => "^([a-z][a-z0-9_.-]*)?$",
            Form::Package => "^[a-z0-9][a-z0-9+.-]*$",
            Form::Path => "^[^/\\\\][^\\\\]*$",
        });
    }
    let mut value = match &option.default {
        toml::Value::Array(_) => json!({"type": "array", "items": text}),
        toml::Value::Boolean(_) => json!({"type": "boolean"}),
        toml::Value::Integer(_) => json!({"type": "integer"}),
        toml::Value::Float(_) => json!({"type": "number"}),
        _ => text,
    };
    value["default"] = json!(option.default);
    described(value, &option.about)
}

fn paths() -> Value {
    json!({"type": "string", "minLength": 1, "pattern": "^[^/]"})
}

fn overrides() -> Value {
    let ids = one_or_more(json!({"$ref": "#/definitions/rule"}));
    let keys = [
        (
            "paths",
            described(
                one_or_more(paths()),
                "Dockerfiles or folders beside this file, or globs of them.",
            ),
        ),
        ("select", ids.clone()),
        ("ignore", ids),
        ("rules", json!({"$ref": "#/definitions/rules"})),
    ];
    let keys = keys.map(|(key, value)| (key.to_owned(), value));
    let mut table = closed(keys.into_iter().collect());
    table["required"] = json!(["paths"]);
    json!({"type": "array", "items": table})
}

fn budget() -> Value {
    let size = json!({"anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": "^\\s*[0-9.]+\\s*([kKMG]B|[KMG]iB|B)?\\s*$"},
    ]});
    json!({
        "type": "object",
        "properties": {
            "max-wasted": described(size.clone(), "The bytes that later layers may overwrite or delete."),
            "min-efficiency": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "additionalProperties": size,
    })
}

/// A table with these keys and no others.
fn closed(keys: Map<String, Value>) -> Value {
    json!({"type": "object", "properties": keys, "additionalProperties": false})
}

/// A list, or one element for a list of it.
fn one_or_more(element: Value) -> Value {
    json!({"anyOf": [element, {"type": "array", "items": element}]})
}

fn described(mut value: Value, about: &str) -> Value {
    value["description"] = json!(about);
    value
}
