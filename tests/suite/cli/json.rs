//! JSON: what is printed is what the schema says, for every case that the rules have.

use std::fs;

use serde_json::Value;

use super::sandbox::{BEFORE, REFUSED, Sandbox};
use crate::files::repository;

fn schema() -> jsonschema::Validator {
    let text = fs::read(repository("schemas/report.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&text).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::options().build(&schema).unwrap()
}

/// What the schema says against the document.
fn errors(text: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(text).unwrap();
    let schema = schema();
    let errors = schema.iter_errors(&document);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_documents_of_all_cases_are_what_the_schema_says() {
    let cases = |below: &str| {
        let folder = repository("tests/cases").join(below);
        folder.to_str().unwrap().to_owned()
    };
    let sandbox = Sandbox::with(&[("bad/Dockerfile", REFUSED), ("odd/Dockerfile", "")]);
    sandbox.write(
        "latin/Dockerfile",
        [b"# caf\xe9\n", BEFORE.as_bytes()].concat(),
    );
    let mut fields: Vec<&str> = Vec::new();
    for (command, cases) in [
        (&["fix", "--unsafe"][..], cases("")),
        (&["fix"], cases("copy-manifests-first")),
        (&["check"], cases("dockerignore")),
    ] {
        let args = [command, &["--format=json", &cases, ".", "missing"]].concat();
        let ran = sandbox.run(&args).ended(2);
        let errors = errors(&ran.out);
        assert!(errors.is_empty(), "{command:?}: {errors:#?}");
        // The cases have something for each of them.
        let some = [
            "estimate", "rebuild", "context", "reasons", "declined", "refused", "errors", "writes",
        ];
        let filled = |name: &&&str| {
            [": [{", ":[{", ":{", ":[\""]
                .iter()
                .any(|start| ran.out.contains(&format!("\"{name}\"{start}")))
        };
        fields.extend(some.iter().filter(filled));
    }
    fields.sort_unstable();
    fields.dedup();
    assert_eq!(fields.len(), 8, "{fields:?}");
}

#[test]
fn a_field_that_the_schema_does_not_know_is_found() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let text = sandbox.run(&["check", "--format=json"]).ended(1).out;
    assert_eq!(errors(&text), [""; 0]);
    for (old, new) in [
        ("\"applied\":true", "\"applied\":1"),
        ("\"rule\":\"copy-not-add\"", "\"rules\":\"copy-not-add\""),
        ("\"version\":1", "\"version\":2"),
        ("\"errors\":[],", ""),
    ] {
        assert!(text.contains(old), "{text}");
        assert!(!errors(&text.replacen(old, new, 1)).is_empty(), "{new}");
    }
}
