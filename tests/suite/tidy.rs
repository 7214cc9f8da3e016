//! What keeps the repository in order: who imports whom, file sizes, cases for each rule, fresh tables.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{files_under, folders_in, name_of, repository};
use crate::run::all_rules;

/// No file of code is longer than this.
const LONGEST: usize = 600;

/// Which modules of the crate each module may name. Left never imports right; the crate's documentation has the map.
const IMPORTS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("syntax", &["text"]),
    ("model", &["syntax", "text"]),
    ("context", &["text"]),
    ("project", &["context", "text"]),
    ("rule", &["text"]),
    ("report", &["rule", "text"]),
    (
        "pass",
        &[
            "context", "model", "project", "report", "rule", "syntax", "text",
        ],
    ),
    (
        "passes",
        &[
            "context", "model", "pass", "project", "report", "rule", "syntax", "text",
        ],
    ),
    ("guard", &["model", "rule", "syntax", "text"]),
    (
        "chain",
        &[
            "context", "guard", "model", "pass", "passes", "project", "report", "rule", "syntax",
            "text",
        ],
    ),
    ("config", &["rule"]),
    ("image", &["model"]),
    ("engine", &[]),
    ("verify", &["image", "model", "rule"]),
    ("render", &["image", "report", "rule", "text", "verify"]),
    ("walk", &["context", "text"]),
    ("history", &[]),
    (
        "cli",
        &[
            "chain", "config", "context", "engine", "history", "image", "model", "pass", "render",
            "report", "rule", "syntax", "text", "verify", "walk",
        ],
    ),
    ("main", &["cli"]),
];

#[test]
fn modules_import_only_what_stands_left_of_them() {
    let mut wrong = Vec::new();
    for path in rust_files("src") {
        let name = name_of(&path);
        let module = module_of(&name);
        if module == "lib" {
            continue;
        }
        let allowed = IMPORTS.iter().find(|(of, _)| *of == module);
        let Some((_, allowed)) = allowed else {
            wrong.push(format!("{name}: `{module}` is not in the table of imports"));
            continue;
        };
        let named = imports(&code_of(&path));
        let forbidden = named
            .iter()
            .filter(|one| **one != module && !allowed.contains(&one.as_str()));
        wrong.extend(forbidden.map(|one| format!("{name} names `crate::{one}`")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn passes_do_not_import_each_other() {
    let mut wrong = Vec::new();
    for path in files_under(&repository("src/passes")) {
        let code = code_of(&path);
        let names_another = code.contains("crate::passes::") || code.contains("super::super::");
        if names_another {
            wrong.push(name_of(&path));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn imports_are_found_in_paths_and_braces() {
    let code = "use crate::text::Span;\nuse crate::{rule::{Rule, x}, report};\nfn f() { crate::chain::run() }";
    assert_eq!(
        imports(code),
        ["chain", "report", "rule", "text"]
            .map(str::to_owned)
            .into()
    );
}

#[test]
fn no_file_is_too_long() {
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    let long: Vec<(usize, String)> = files
        .map(|path| {
            (
                fs::read_to_string(&path).unwrap().lines().count(),
                name_of(&path),
            )
        })
        .filter(|(lines, _)| *lines > LONGEST)
        .collect();
    assert!(long.is_empty(), "over {LONGEST} lines: {long:#?}");
}

#[test]
fn every_module_says_what_it_does() {
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    let silent = files.filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!"));
    let silent: Vec<String> = silent.map(|path| name_of(&path)).collect();
    assert!(
        silent.is_empty(),
        "without a module doc on line 1: {silent:#?}"
    );
}

#[test]
fn every_rule_has_cases_and_every_case_a_rule() {
    let rules: BTreeSet<String> = all_rules().into_iter().map(|rule| rule.id).collect();
    let groups = folders_in(&repository("tests/cases"));
    let groups: BTreeSet<String> = groups.iter().map(|group| stem(group)).collect();
    let without: Vec<&String> = rules.difference(&groups).collect();
    assert!(
        without.is_empty(),
        "rules without tests/cases/<rule>/<case>/: {without:?}"
    );
    let strays = groups
        .difference(&rules)
        .filter(|group| !matches!(group.as_str(), "chain" | "traps"));
    assert_eq!(
        strays.count(),
        0,
        "a folder of tests/cases is named like no rule: {groups:?}"
    );
}

#[test]
fn every_snapshot_is_accepted_and_has_its_case() {
    let pending = |path: &Path| name_of(path).ends_with(".snap.new");
    let mut wrong = Vec::new();
    for path in files_under(&repository("snapshots")) {
        let group = path.parent().unwrap();
        let cases = repository("tests/cases").join(stem(group));
        if pending(&path) || (cases.is_dir() && !cases.join(stem(&path)).is_dir()) {
            wrong.push(name_of(&path));
        }
    }
    assert!(
        wrong.is_empty(),
        "pending, or of a case that is gone: {wrong:#?}"
    );
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = files_under(&repository(folder));
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    files
}

/// `src/syntax/lexer.rs` belongs to `syntax`.
fn module_of(name: &str) -> String {
    let path = name.trim_start_matches("src/").trim_end_matches(".rs");
    path.split('/').next().unwrap_or_default().to_owned()
}

/// The code of a file: without comments, and without the unit tests at its end.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules named behind `crate::` or `dockeropt::`, also in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "dockeropt::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(list) => found.extend(names_in_braces(list)),
                None => found.extend(first_name(rest)),
            }
        }
    }
    found
}

/// The first name of each element of `a::b, c::{d, e}}`.
fn names_in_braces(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = Vec::new();
    let mut element = 0;
    for (at, char) in list.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.extend(first_name(list[element..at].trim_start()));
                element = at + 1;
            }
            _ => {}
        }
        if char == '}' && element == at + 1 {
            break;
        }
    }
    names
}

fn first_name(path: &str) -> Option<String> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let name = path.split(|char| !is_part(char)).next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
