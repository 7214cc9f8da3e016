//! Reads `dockeropt.toml`, and refuses everything that it does not know.

use std::path::{Path, PathBuf};

use super::{Budget, Config, ConfigError, Override, Paths, Place, Placed, Scoped};
use crate::rule::read::{Fault, Item, Lines, Table};

impl Config {
    /// The decisions in `text`, the content of `path`. Rule ids and options are held against the rules later, by
    /// [`Config::apply`].
    ///
    /// # Errors
    /// The first thing that is wrong: not TOML, an unknown key, a wrong type, a name that is not on its closed list, an
    /// absolute path in `extend`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let lines = Lines::new(text);
        read(path, text, &lines).map_err(|fault| ConfigError {
            place: Place::File(path.to_owned(), fault.line),
            message: fault.message,
        })
    }
}

const KEYS: [&str; 11] = [
    "preset",
    "select",
    "ignore",
    "extend",
    "include",
    "exclude",
    "baseline",
    "cache",
    "rules",
    "overrides",
    "budget",
];

fn read(path: &Path, text: &str, lines: &Lines) -> Result<Config, Fault> {
    let mut table = Table::parse(text, lines)?.only(&KEYS)?;
    let overrides = table.take("overrides").map_or(Vec::new(), Item::list);
    Ok(Config {
        preset: read_placed(path, table.take("preset"), Item::parse)?,
        extend: read_extended(path, table.take("extend"))?,
        include: read_paths(path, table.take("include"))?,
        exclude: read_paths(path, table.take("exclude"))?,
        baseline: read_placed(path, table.take("baseline"), |item| {
            let about = "`baseline` names a file relative to this file";
            read_relative(item, about)
        })?,
        cache: read_placed(path, table.take("cache"), Item::parse)?,
        overrides: overrides
            .into_iter()
            .map(|item| Scoped::read(path, item))
            .collect::<Result<_, _>>()?,
        budget: table
            .take("budget")
            .map_or(Ok(Budget::default()), |item| Budget::read(path, item))?,
        ..read_rules(path, &mut table)?
    })
}

/// `select`, `ignore` and `rules`: which rules run, and how.
pub(super) fn read_rules(path: &Path, table: &mut Table<'_>) -> Result<Config, Fault> {
    let ids = |item| read_ids(path, item);
    let rules = match table.take("rules") {
        Some(rules) => rules.table()?.into_items(),
        None => Vec::new(),
    };
    Ok(Config {
        select: read_placed(path, table.take("select"), ids)?,
        ignore: table.take("ignore").map_or(Ok(Vec::new()), ids)?,
        rules: rules
            .into_iter()
            .map(|rule| read_override(path, rule))
            .collect::<Result<_, _>>()?,
        ..Config::default()
    })
}

fn read_ids(path: &Path, item: Item<'_>) -> Result<Vec<Placed<String>>, Fault> {
    item.list()
        .into_iter()
        .map(|id| {
            let line = id.line;
            Ok(placed(path, line, id.string()?))
        })
        .collect()
}

fn read_extended(path: &Path, item: Option<Item<'_>>) -> Result<Vec<Placed<PathBuf>>, Fault> {
    let all = item.map_or(Vec::new(), Item::list);
    let about = "`extend` names folders and files relative to this file";
    all.into_iter()
        .map(|one| {
            let line = one.line;
            Ok(placed(path, line, read_relative(one, about)?))
        })
        .collect()
}

/// A path that is not absolute; `about` says so.
fn read_relative(item: Item<'_>, about: &str) -> Result<PathBuf, Fault> {
    let line = item.line;
    let found = PathBuf::from(item.string()?);
    if found.as_os_str().is_empty() || found.has_root() {
        return Err(Fault::new(line, about));
    }
    Ok(found)
}

fn read_paths(path: &Path, item: Option<Item<'_>>) -> Result<Vec<Placed<Paths>>, Fault> {
    let all = item.map_or(Vec::new(), Item::list);
    all.into_iter()
        .map(|one| {
            let line = one.line;
            Ok(placed(path, line, Paths::read(one)?))
        })
        .collect()
}

fn read_override(path: &Path, item: Item<'_>) -> Result<Override, Fault> {
    let id = placed(path, item.line, item.name.clone());
    let keys = ["enabled", "applicability", "options"];
    let mut table = item.table()?.only(&keys)?;
    let enabled = read_placed(path, table.take("enabled"), Item::boolean)?;
    let applicability = read_placed(path, table.take("applicability"), Item::parse)?;
    let options = match table.take("options") {
        Some(options) => options.table()?.into_items(),
        None => Vec::new(),
    };
    let options = options
        .into_iter()
        .map(|option| {
            let (name, line) = (option.name.clone(), option.line);
            Ok((name, placed(path, line, option.plain()?)))
        })
        .collect::<Result<_, _>>()?;
    Ok(Override {
        id,
        enabled,
        applicability,
        options,
    })
}

/// What `read` makes of the item, and its line.
fn read_placed<'t, T>(
    path: &Path,
    item: Option<Item<'t>>,
    read: impl FnOnce(Item<'t>) -> Result<T, Fault>,
) -> Result<Option<Placed<T>>, Fault> {
    let Some(item) = item else {
        return Ok(None);
    };
    let line = item.line;
    Ok(Some(placed(path, line, read(item)?)))
}

pub(super) fn placed<T>(path: &Path, line: u32, value: T) -> Placed<T> {
    let place = Place::File(path.to_owned(), line);
    Placed { value, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = Config::parse(Path::new("dockeropt.toml"), text).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn everything_is_read_with_its_line() {
        let text = "\
select = [
  'apt-lists',
  'join-runs',
]
ignore = 'copy-not-add'
extend = ['ci/dockeropt', '../rules']
cache = 'mount'
[rules.join-runs]
enabled = true
applicability = 'suggestion'
options.when = 'all'
";
        let path = Path::new("dockeropt.toml");
        let config = Config::parse(path, text).unwrap();
        let select = config.select.unwrap().value;
        assert_eq!(select[1], placed(path, 3, "join-runs".to_owned()));
        assert_eq!(config.ignore, [placed(path, 5, "copy-not-add".to_owned())]);
        assert_eq!(config.extend[1], placed(path, 6, "../rules".into()));
        let mount = placed(path, 7, crate::rule::CacheStyle::Mount);
        assert_eq!(config.cache, Some(mount));
        let [rule] = config.rules.as_slice() else {
            panic!("one rule, found {:?}", config.rules);
        };
        assert_eq!(rule.id, placed(path, 8, "join-runs".to_owned()));
        assert_eq!(rule.enabled, Some(placed(path, 9, true)));
        let all = ("when".to_owned(), placed(path, 11, "all".into()));
        assert_eq!(rule.options, [all]);
    }

    #[test]
    fn an_empty_file_decides_nothing() {
        let config = Config::parse(Path::new("dockeropt.toml"), "").unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        check_error(
            "cache = 'clean'\nselct = ['a']\n",
            "dockeropt.toml:2: unknown key `selct`, did you mean `select`? \
             (allowed: `preset`, `select`, `ignore`, `extend`, `include`, `exclude`, `baseline`, `cache`, `rules`, \
             `overrides`, `budget`)",
        );
        check_error(
            "[rules.apt-lists]\nenabled = true\noption.when = 'all'\n",
            "dockeropt.toml:3: in `rules.apt-lists`: unknown key `option`, did you mean `options`? \
             (allowed: `enabled`, `applicability`, `options`)",
        );
        check_error(
            "cache = 'mounts'",
            "dockeropt.toml:1: unknown cache style `mounts`, did you mean `mount`? \
             (allowed: `clean`, `mount`)",
        );
        check_error(
            "[rules.apt-lists]\napplicability = 'save'",
            "dockeropt.toml:2: unknown applicability `save`, did you mean `safe`? \
             (allowed: `suggestion`, `unsafe`, `safe`)",
        );
    }

    #[test]
    fn wrong_types_are_refused() {
        check_error(
            "select = [\n 'a',\n 1,\n]",
            "dockeropt.toml:3: `select` is a number, expected a string",
        );
        check_error(
            "[rules.apt-lists]\nenabled = 'no'",
            "dockeropt.toml:2: `rules.apt-lists.enabled` is a string, expected true or false",
        );
        check_error(
            "rules = ['apt-lists']",
            "dockeropt.toml:1: `rules` is a list, expected a table",
        );
        check_error(
            "extend = ['/etc/rules']",
            "dockeropt.toml:1: `extend` names folders and files relative to this file",
        );
        check_error(
            "exclude = [\n'a',\n'b[']",
            "dockeropt.toml:3: in `exclude`: error parsing glob 'b[': unclosed character class; missing ']'",
        );
        check_error(
            "include = '/a'",
            "dockeropt.toml:1: `include` names Dockerfiles and folders relative to this file",
        );
        check_error(
            "baseline = ''",
            "dockeropt.toml:1: `baseline` names a file relative to this file",
        );
    }

    #[test]
    fn what_is_not_toml_is_refused() {
        let error = Config::parse(Path::new("dockeropt.toml"), "cache = 'clean'\nselect = [\n");
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("dockeropt.toml:2: not TOML: "), "{error}");
        let error = Config::parse(Path::new("dockeropt.toml"), "cache = 'a'\ncache = 'b'\n");
        assert_eq!(
            error.unwrap_err().to_string(),
            "dockeropt.toml:2: not TOML: duplicate key"
        );
    }
}
