//! The keys of an image's configuration, named as effects name them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Difference;

/// The keys, as effects and as the configuration name them, and what an engine leaves out where it is empty.
const KEYS: [(&str, &str, Empty); 11] = [
    ("env", "Env", Empty::List),
    ("cmd", "Cmd", Empty::List),
    ("entrypoint", "Entrypoint", Empty::List),
    ("user", "User", Empty::Text),
    ("workdir", "WorkingDir", Empty::Text),
    ("expose", "ExposedPorts", Empty::Keys),
    ("volumes", "Volumes", Empty::Keys),
    ("labels", "Labels", Empty::Map),
    ("stopsignal", "StopSignal", Empty::Text),
    ("shell", "Shell", Empty::List),
    ("onbuild", "OnBuild", Empty::List),
];

/// How what is not there is written.
#[derive(Clone, Copy)]
enum Empty {
    List,
    Text,
    Map,
    /// Only the keys of the map count.
    Keys,
}

/// The keys in which two configurations differ.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let keys = KEYS.iter().map(|(key, name, empty)| {
        let [before, after] = [before, after].map(|config| value(&config[*name], *empty));
        (*key, before, after)
    });
    let health = [before, after].map(|config| healthcheck(&config["Healthcheck"]));
    let [was, is] = health;
    let all = keys.chain([("healthcheck", was, is)]);
    all.filter(|(_, before, after)| before != after)
        .map(|(key, before, after)| Difference::Config { key, before, after })
        .collect()
}

fn value(value: &Value, empty: Empty) -> Value {
    match (value, empty) {
        (Value::Object(map), Empty::Keys) => json!(map.keys().collect::<BTreeSet<_>>()),
        // buildah marks what it built.
        (Value::Object(map), Empty::Map) => {
            let own = |key: &str| key.starts_with("io.buildah.");
            let kept = map.iter().filter(|(key, _)| !own(key));
            Value::Object(
                kept.map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            )
        }
        (Value::Null, Empty::List | Empty::Keys) => json!([]),
        (Value::Null, Empty::Text) => json!(""),
        (Value::Null, Empty::Map) => json!({}),
        (value, _) => value.clone(),
    }
}

/// Its fields, those that are left out as 0.
fn healthcheck(check: &Value) -> Value {
    let number = |name: &str| match &check[name] {
        Value::Null => json!(0),
        value => value.clone(),
    };
    let test = value(&check["Test"], Empty::List);
    let numbers = [
        "Interval",
        "Timeout",
        "StartPeriod",
        "StartInterval",
        "Retries",
    ]
    .map(number);
    let mut all = vec![test];
    all.extend(numbers);
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(before: &Value, after: &Value) -> Vec<&'static str> {
        let all = differences(before, after).into_iter();
        all.filter_map(|one| match one {
            Difference::Config { key, .. } => Some(key),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn what_is_left_out_is_empty() {
        let empty = json!({"Env": [], "User": "", "Labels": {}, "ExposedPorts": {}, "Healthcheck": {"Test": []}});
        assert!(keys(&json!({}), &empty).is_empty());
    }

    #[test]
    fn every_key_counts() {
        let full = json!({"Env": ["A=b"], "Cmd": ["x"], "Entrypoint": ["y"], "User": "u", "WorkingDir": "/w",
            "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/v": {}}, "Labels": {"a": "b"}, "StopSignal": "SIGINT",
            "Shell": ["/bin/bash"], "OnBuild": ["RUN x"], "Healthcheck": {"Test": ["CMD", "x"]}});
        assert_eq!(keys(&full, &json!({})).len(), 12);
        assert_eq!(
            keys(&json!({"Cmd": ["a", "b"]}), &json!({"Cmd": ["b", "a"]})),
            ["cmd"]
        );
    }

    #[test]
    fn the_mark_of_a_builder_is_no_label() {
        let before = json!({"Labels": {"io.buildah.version": "1.28"}});
        assert!(keys(&before, &json!({})).is_empty());
    }
}
