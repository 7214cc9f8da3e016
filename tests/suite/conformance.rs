//! Each conformance case reads as BuildKit reads it: `tests/conformance/README.md` says what is compared.

use std::fs;

use serde::Deserialize;

use crate::files::repository;
use crate::view::{View, view};

#[derive(Deserialize)]
struct Expected {
    case: String,
    #[serde(flatten)]
    view: View,
}

fn expected() -> Vec<Expected> {
    let lines = fs::read_to_string(repository("tests/conformance/expected.jsonl")).unwrap();
    let rows = lines.lines().map(|line| {
        let mut row: Expected = serde_json::from_str(line).unwrap();
        row.view.directives.sort();
        row
    });
    rows.collect()
}

#[test]
fn all_cases_agree_with_buildkit() {
    let folder = repository("tests/conformance/cases");
    let expected = expected();
    let mut failures = Vec::new();
    for row in &expected {
        let text = fs::read(folder.join(&row.case)).unwrap();
        let found = view(&text);
        if found != row.view {
            failures.push((row.case.as_str(), difference(&row.view, &found)));
        }
    }
    let report: Vec<String> = failures
        .iter()
        .map(|(case, difference)| format!("## {case}\n{difference}"))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases disagree with BuildKit (- expected, + ours)\n{}",
        failures.len(),
        expected.len(),
        report.join("\n")
    );
}

#[test]
fn each_case_file_is_expected() {
    let files = fs::read_dir(repository("tests/conformance/cases")).unwrap();
    assert_eq!(files.count(), expected().len());
}

/// The lines of the two views that differ.
fn difference(expected: &View, found: &View) -> String {
    let (expected, found) = (format!("{expected:#?}"), format!("{found:#?}"));
    let diff = similar::TextDiff::from_lines(&expected, &found);
    diff.unified_diff().context_radius(1).to_string()
}
