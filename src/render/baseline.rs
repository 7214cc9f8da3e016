//! A baseline: the findings that a project has and does not want to hear of for now, as a file beside its code.
//!
//! A finding is known by its fingerprint, so that it is known when its lines have moved. The file is sorted and has a
//! finding a line: a change of it reads well, and seldom meets another one.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fingerprint;
use super::json::to_string;
use crate::report::Report;

/// The version of the file.
const VERSION: u32 = 1;

/// A finding that is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The Dockerfile, from the folder of the baseline, with `/` between folders.
    pub path: String,
    /// The rule's id.
    pub rule: String,
    /// What the finding is known by.
    pub fingerprint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    findings: BTreeSet<Known>,
}

/// The findings of `report`, in its order. `path` is the Dockerfile, as [`Known::path`].
pub fn known(report: &Report, path: &str) -> Vec<Known> {
    let fingerprints = fingerprint::of(report, Path::new(path));
    let findings = report.findings.iter().zip(fingerprints);
    let known = findings.map(|(finding, fingerprint)| Known {
        path: path.to_owned(),
        rule: finding.rule.clone(),
        fingerprint,
    });
    known.collect()
}

/// The file with these findings.
pub fn write(findings: &BTreeSet<Known>) -> String {
    let lines = findings
        .iter()
        .map(|one| format!("\n    {}", to_string(one)));
    let lines: Vec<String> = lines.collect();
    let end = if lines.is_empty() { "" } else { "\n  " };
    let lines = lines.join(",");
    format!("{{\n  \"version\": {VERSION},\n  \"findings\": [{lines}{end}]\n}}\n")
}

/// The findings of the file.
///
/// # Errors
/// Where it is none.
pub fn read(text: &[u8]) -> Result<BTreeSet<Known>, String> {
    let file: File = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match file.version {
        VERSION => Ok(file.findings),
        other => Err(format!("has version {other}, and {VERSION} is known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let one = |path: &str, rule: &str| Known {
            path: path.to_owned(),
            rule: rule.to_owned(),
            fingerprint: "0".to_owned(),
        };
        let findings = BTreeSet::from([one("b", "x"), one("a", "y"), one("a", "x")]);
        let text = write(&findings);
        assert_eq!(read(text.as_bytes()), Ok(findings));
        let expected = r#"{
  "version": 1,
  "findings": [
    {"path":"a","rule":"x","fingerprint":"0"},
    {"path":"a","rule":"y","fingerprint":"0"},
    {"path":"b","rule":"x","fingerprint":"0"}
  ]
}
"#;
        assert_eq!(text, expected);
        let none = write(&BTreeSet::new());
        assert_eq!(read(none.as_bytes()), Ok(BTreeSet::new()));
    }

    #[test]
    fn what_is_no_baseline_is_not_read() {
        for text in [
            "",
            "{}",
            r#"{"version":2,"findings":[]}"#,
            r#"{"version":1,"findings":[{}]}"#,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
