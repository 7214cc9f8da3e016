//! The rules that are part of the program: the files of `rules/`, as the build script read them.

use std::sync::LazyLock;

use super::Rule;
use super::node::{Node, Value};
use super::parse::shipped;

/// By id, what its file holds.
const FILES: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.json"));

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    // Not input but part of the program; the test below reads every file.
    let read = || {
        let rules: Node<'_> = serde_json::from_str(FILES).map_err(|error| error.to_string())?;
        let Value::Table(rules) = rules.value else {
            return Err("no table".to_owned());
        };
        let rules = rules.into_iter().map(|(id, (_, rule))| match rule.value {
            Value::Table(rule) => {
                shipped(&id, rule).map_err(|fault| format!("{id}: {}", fault.message))
            }
            _ => Err(format!("{id}: no table")),
        });
        rules.collect()
    };
    match read() {
        Ok(rules) => rules,
        Err(error) => panic!("rules: {error}"),
    }
});

/// Every rule that is part of the program, by id, as shipped. Read at the first call.
pub fn builtin() -> &'static [Rule] {
    &RULES
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::rule::parse;

    #[test]
    fn the_shipped_rules_are_those_of_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let entries = fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
        paths.sort_by_key(|path| path.file_stem().map(ToOwned::to_owned));
        let rules = paths.iter().map(|path| {
            let text = fs::read_to_string(path).unwrap();
            parse(path, &text).unwrap_or_else(|error| panic!("{error}"))
        });
        let rules: Vec<Rule> = rules.collect();
        assert_eq!(format!("{rules:#?}"), format!("{:#?}", builtin()));
    }
}
