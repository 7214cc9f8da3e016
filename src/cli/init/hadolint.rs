//! hadolint's configuration: which rules correspond to what it ignores. Nothing else of it is taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::rule::Rule;
use crate::walk;

/// Where hadolint looks.
const NAMES: [&str; 2] = [".hadolint.yaml", ".hadolint.yml"];

/// What is taken over.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Taken {
    /// The codes that are ignored, with the rules that correspond, in the order of the file.
    pub(super) rules: Vec<(String, Vec<String>)>,
    /// The codes without a rule that corresponds.
    pub(super) without: Vec<String>,
    /// What else is decided there.
    pub(super) others: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    ignored: Vec<String>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

/// hadolint's configuration in `folder`.
pub(super) fn find(folder: &Path) -> Result<PathBuf> {
    let paths = NAMES.map(|name| folder.join(name));
    let Some(path) = paths.into_iter().find(|path| path.is_file()) else {
        bail!("there is no `.hadolint.yaml` here");
    };
    Ok(path)
}

/// What the file at `path` says of `rules`.
pub(super) fn read(path: &Path, rules: &[Rule]) -> Result<Taken> {
    let text = String::from_utf8(walk::read_regular(path)?);
    let text = text.with_context(|| format!("{}: is not UTF-8", path.display()))?;
    parse(&text, rules).with_context(|| path.display().to_string())
}

fn parse(text: &str, rules: &[Rule]) -> Result<Taken> {
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim().starts_with('#'))
    {
        return Ok(Taken::default());
    }
    let file: File = serde_saphyr::from_str(text)?;
    let mut taken = Taken {
        others: file.others.into_keys().collect(),
        ..Taken::default()
    };
    let mut seen = BTreeSet::new();
    for code in file.ignored {
        let code = code.trim().to_ascii_uppercase();
        if !seen.insert(code.clone()) {
            continue;
        }
        let of_code = rules.iter().filter(|rule| rule.answers_to(&code));
        let of_code: Vec<String> = of_code.map(|rule| rule.id.clone()).collect();
        match of_code.is_empty() {
            true => taken.without.push(code),
            false => taken.rules.push((code, of_code)),
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule;

    #[test]
    fn what_is_ignored_is_mapped_as_in_comments() {
        let text = "ignored:\n  - DL3009\n  - dl3059\n  - SC1091\n  - DL3009\ntrustedRegistries: [docker.io]\n";
        let taken = parse(text, rule::builtin()).unwrap();
        let rules = |rules: &[&str]| rules.iter().map(|rule| (*rule).to_owned()).collect();
        assert_eq!(
            taken,
            Taken {
                rules: vec![
                    ("DL3009".to_owned(), rules(&["apt-lists"])),
                    (
                        "DL3059".to_owned(),
                        rules(&["join-apt-update", "join-cleanup", "join-runs"])
                    ),
                ],
                without: rules(&["SC1091"]),
                others: rules(&["trustedRegistries"]),
            }
        );
        assert_eq!(
            parse("# nothing\n", rule::builtin()).unwrap(),
            Taken::default()
        );
        parse("ignored: 3\n", rule::builtin()).unwrap_err();
    }
}
