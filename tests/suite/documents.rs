//! What is written from the rules: README's table, and the pages of `docs/`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use dockeropt::render::page;
use dockeropt::rule;

use crate::files::{files_under, name_of, repository};
use crate::run::all_rules;

/// The end of a part that is written from the rules.
const END: &str = "<!-- end of rules -->";

#[test]
fn readme_lists_the_rules() {
    between(
        "README.md",
        "<!-- rules: written by `cargo test documents` -->\n",
        &format!("\n{}", rule::markdown(&all_rules())),
    );
}

#[test]
fn the_book_lists_the_rules() {
    let rules = all_rules();
    let mut lines = String::new();
    for row in rule::rows(&rules) {
        writeln!(lines, "  - [{0}](rules/{0}.md)", row.id).unwrap();
    }
    between(
        "docs/SUMMARY.md",
        "<!-- rules: written by `cargo test documents` -->\n",
        &lines,
    );
    let mut table = String::from("\n");
    for line in rule::markdown(&rules).lines() {
        // A link in place of the id.
        let linked = match line
            .strip_prefix("| `")
            .and_then(|rest| rest.split_once('`'))
        {
            Some((id, rest)) => format!("| [`{id}`](rules/{id}.md){rest}"),
            None => line.to_owned(),
        };
        writeln!(table, "{linked}").unwrap();
    }
    between(
        "docs/rules.md",
        "<!-- rules: written by `cargo test documents` -->\n",
        &table,
    );
}

#[test]
fn every_rule_has_its_page() {
    let mut pages = BTreeSet::new();
    let mut stale = Vec::new();
    for rule in all_rules() {
        let name = format!("docs/rules/{}.md", rule.id);
        if written_anew(&repository(&name), &page::rule(&rule)) {
            stale.push(name.clone());
        }
        pages.insert(name);
    }
    let strays: Vec<String> = files_under(&repository("docs/rules"))
        .iter()
        .map(|path| name_of(path))
        .filter(|name| !pages.contains(name))
        .collect();
    assert!(strays.is_empty(), "of no rule: {strays:?}");
    assert!(
        stale.is_empty(),
        "stale, and written anew: look at them and commit them: {stale:#?}"
    );
}

#[test]
fn every_page_is_in_the_book_and_every_link_leads_somewhere() {
    let summary = fs::read_to_string(repository("docs/SUMMARY.md")).unwrap();
    let listed: BTreeSet<String> = links(&summary).map(|link| format!("docs/{link}")).collect();
    for path in files_under(&repository("docs")) {
        let name = name_of(&path);
        let is_page = name.ends_with(".md") && name != "docs/SUMMARY.md";
        assert!(
            !is_page || listed.contains(&name),
            "{name} is not in SUMMARY.md"
        );
    }
    let pages = files_under(&repository("docs")).into_iter();
    for path in pages.chain([repository("README.md")]) {
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            let target = path.parent().unwrap().join(file);
            assert!(
                file.is_empty() || link.contains("://") || target.exists(),
                "{}: no {link}",
                name_of(&path)
            );
        }
    }
}

/// The targets of the links of a text, outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    let prose = text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    let targets = prose.flat_map(|line| line.split("](").skip(1));
    targets.filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// The part of a file between `start` and [`END`] is `fresh`. Where it is stale it is written anew, and the test fails.
fn between(name: &str, start: &str, fresh: &str) {
    let path = repository(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (head, rest) = text.split_once(start).expect("a place for the rules");
    let (_, tail) = rest.split_once(END).expect("the end of the rules");
    let fresh = [head, start, fresh, END, tail].concat();
    assert!(
        !written_anew(&path, &fresh),
        "{name} was stale; it is written anew: look at it and commit it"
    );
}

/// Whether the file had another text; it has this one now.
fn written_anew(path: &Path, text: &str) -> bool {
    let is_stale = fs::read_to_string(path).ok().as_deref() != Some(text);
    if is_stale {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    is_stale
}

#[test]
fn every_dependency_has_a_reason() {
    let manifest = fs::read_to_string(repository("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let unix = &manifest["target"]["cfg(unix)"];
    let tables = [
        manifest.get("dependencies"),
        manifest.get("dev-dependencies"),
        unix.get("dependencies"),
    ];
    let tables = tables.map(|table| table.and_then(toml::Value::as_table).unwrap());
    let listed: BTreeSet<&str> = tables
        .iter()
        .flat_map(|table| table.keys().map(String::as_str))
        .collect();
    let page = fs::read_to_string(repository("docs/dependencies.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split(" | ").next());
    let explained: BTreeSet<&str> = names
        .flat_map(|names| names.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    assert_eq!(explained, listed);
}
