//! `init` and `schema`: a first `dockeropt.toml`, and what editors know of it.

use serde_json::Value;

use super::sandbox::{AFTER, BEFORE, Sandbox};
use crate::files::{files_under, name_of, repository};

#[test]
fn init_writes_a_configuration_that_changes_nothing() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let ran = sandbox.run(&["init"]).ended(0);
    assert_eq!(ran.err, "`dockeropt.toml` is written\n");
    assert!(ran.out.contains("- id: dockeropt\n"), "{ran:#?}");
    assert!(
        ran.out.contains("dockeropt check --format gitlab"),
        "{ran:#?}"
    );
    sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(sandbox.text("Dockerfile"), AFTER);
}

#[test]
fn init_writes_over_nothing_unless_told_to() {
    let sandbox = Sandbox::with(&[("dockeropt.toml", "ignore = []\n")]);
    let ran = sandbox.run(&["init"]).ended(2);
    assert_eq!(
        ran.err,
        "error: `dockeropt.toml` is there already; `--force` replaces it\n"
    );
    assert_eq!(sandbox.text("dockeropt.toml"), "ignore = []\n");
    sandbox.run(&["init", "--force"]).ended(0);
    assert_ne!(sandbox.text("dockeropt.toml"), "ignore = []\n");
}

/// What stands in comments is right as well, each part on its own.
#[test]
fn what_init_shows_can_be_used() {
    let sandbox = Sandbox::with(&[
        ("dockeropt.toml", ""),
        ("app/ci/dockeropt/README.md", ""),
        ("app/Dockerfile", BEFORE),
    ]);
    sandbox.run_in("app", &["init"], b"").ended(0);
    let text = sandbox.text("app/dockeropt.toml");
    let is_toml = |line: &&str| line.starts_with("# [") || line.contains(" = ");
    let shown: Vec<&str> = text.lines().filter(is_toml).collect();
    assert_eq!(shown.len(), 18, "{shown:#?}");
    let used: Vec<&str> = shown.iter().map(|line| &line[2..]).collect();
    sandbox.write("app/dockeropt.toml", used.join("\n"));
    sandbox.run_in("app", &["rules"], b"").ended(0);
}

#[test]
fn what_hadolint_ignores_is_ignored() {
    let hadolint = "ignored:\n  - DL3020\n  - DL3059\n  - SC1091\nfailure-threshold: error\n";
    let sandbox = Sandbox::with(&[(".hadolint.yaml", hadolint), ("Dockerfile", BEFORE)]);
    let ran = sandbox.run(&["init", "--from-hadolint"]).ended(0);
    let told = "`dockeropt.toml` is written\ncodes of hadolint that no rule corresponds to: `SC1091`\n\
                settings of hadolint without a counterpart: `failure-threshold`\n";
    assert_eq!(ran.err, told);
    let text = sandbox.text("dockeropt.toml");
    let ignore = "ignore = [\n    \"copy-not-add\", # DL3020\n    \"join-apt-update\", \"join-cleanup\", \"join-runs\", # DL3059\n]\n";
    assert!(text.contains(ignore), "{text}");
    sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(sandbox.text("Dockerfile"), BEFORE);
    let ran = Sandbox::new().run(&["init", "--from-hadolint"]).ended(2);
    assert_eq!(ran.err, "error: there is no `.hadolint.yaml` here\n");
    let args = ["init", "--force", "--from-hadolint", "missing.yaml"];
    let ran = sandbox.run(&args).ended(2);
    assert_eq!(ran.err, "error: missing.yaml: no such file or folder\n");
}

fn schema(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.run(&["schema"]).ended(0).out).unwrap()
}

/// The faults of a configuration by the schema.
fn faults(schema: &Value, text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let value: toml::Value = toml::from_str(text).unwrap();
    let value = serde_json::to_value(value).unwrap();
    let errors = validator.iter_errors(&value);
    errors.map(|error| error.to_string()).collect()
}

#[test]
fn the_schema_takes_our_own_configurations() {
    let schema = schema(&Sandbox::new());
    let mut texts: Vec<(String, String)> = files_under(&repository("tests/cases"))
        .into_iter()
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name == "dockeropt.toml")
        })
        .map(|path| (name_of(&path), std::fs::read_to_string(path).unwrap()))
        .collect();
    let sandbox = Sandbox::new();
    sandbox.run(&["init"]).ended(0);
    texts.push(("init".to_owned(), sandbox.text("dockeropt.toml")));
    let readme = include_str!("../../../README.md");
    for block in readme.split("```toml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        if !text.starts_with("# ci/") {
            texts.push(("README".to_owned(), text.to_owned()));
        }
    }
    assert!(texts.len() > 10, "{}", texts.len());
    for (name, text) in texts {
        assert_eq!(faults(&schema, &text), [""; 0], "{name}");
    }
}

#[test]
fn the_schema_rejects_what_is_refused() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let schema = schema(&sandbox);
    for text in [
        "selct = ['apt-lists']",
        "select = ['apt-list']",
        "ignore = 'apt-list'",
        "extend = 3",
        "exclude = '/etc'",
        "include = ['a', 1]",
        "baseline = ['a']",
        "preset = 'most'",
        "[[overrides]]\nignore = []",
        "[[overrides]]\npaths = ['a']\nselect = ['apt-list']",
        "[[overrides]]\npaths = ['a']\ncache = 'mount'",
        "cache = 'mounts'",
        "[rules.apt-list]\nenabled = true",
        "[rules.apt-lists]\nenabled = 'no'",
        "[rules.apt-no-recommends]\napplicability = 'safe'",
        "[rules.apt-lists]\noption = {}",
        "[rules.join-runs.options]\nwhen = 'al'",
        "[rules.join-runs.options]\nwhem = 'all'",
        "[rules.split-stages.options]\nkeep-packages = ['a && b']",
        "[rules.split-stages.options]\nkeep-packages = 'curl'",
        "[rules.split-stages.options]\nbuilder-name = 'My Stage'",
        "[budget]\nmax-wasted = '20 apples'",
        "[budget]\nmin-efficiency = 2",
    ] {
        assert_ne!(faults(&schema, text), [""; 0], "{text}");
        sandbox.write("dockeropt.toml", text);
        let ran = sandbox.run(&["check"]).ended(2);
        assert!(ran.err.contains("error: dockeropt.toml:"), "{ran:#?}");
    }
}

#[test]
fn the_schema_knows_the_rules_of_a_team() {
    let (_, rule) = include_str!("../../../README.md")
        .split_once("# ci/dockeropt/our-mirror.toml\n")
        .unwrap();
    let (rule, _) = rule.split_once("```").unwrap();
    let config = "extend = ['ci/dockeropt']\nignore = ['our-mirror']\n";
    let files = [
        ("dockeropt.toml", config),
        ("ci/dockeropt/our-mirror.toml", rule),
    ];
    assert_eq!(faults(&schema(&Sandbox::with(&files)), config), [""; 0]);
    assert_eq!(faults(&schema(&Sandbox::new()), config).len(), 1);
}
