//! Reads one rule from its TOML, and refuses everything that is not in the vocabulary.

use std::collections::BTreeMap;
use std::path::Path;

use super::node::Entries;
use super::read::{Fault, Item, Lines, Table};
use super::{
    Action, Applicability, Effect, Estimate, Example, Pattern, Rule, RuleError, RuleOption, Saving,
};

/// The keys of a rule, in the order in which they are written.
const KEYS: [&str; 17] = [
    "summary",
    "phase",
    "applicability",
    "effects",
    "why",
    "declines",
    "enabled",
    "cache",
    "aliases",
    "message",
    "pass",
    "estimate",
    "options",
    "data",
    "match",
    "rewrite",
    "example",
];

/// The rule in `text`, the content of the file `path`, whose stem is the rule's id.
///
/// # Errors
/// The first thing that is wrong, with its line: not TOML, an unknown key, a missing one, a wrong type, a name that is
/// not on its closed list, an action that is none or two, no example.
pub fn parse(path: &Path, text: &str) -> Result<Rule, RuleError> {
    load(path, text, true)
}

/// As [`parse`], for a rule from outside the program (`extend` in `dockeropt.toml`), which names no pass: a pass
/// trusts its rule's `[data]`, and only the rules that are part of the program are tested with it.
///
/// # Errors
/// As [`parse`]; and where the rule names a pass.
pub fn parse_declarative(path: &Path, text: &str) -> Result<Rule, RuleError> {
    load(path, text, false)
}

fn load(path: &Path, text: &str, may_name_pass: bool) -> Result<Rule, RuleError> {
    let lines = Lines::new(text);
    let table = Table::parse(text, &lines);
    let rule = table.and_then(|table| read_rule(path, table, may_name_pass));
    rule.map_err(|fault| RuleError {
        path: path.to_owned(),
        line: fault.line,
        message: fault.message,
    })
}

/// The rule whose file the build script read.
///
/// # Errors
/// As [`parse`].
pub(super) fn shipped(id: &str, entries: Entries<'_>) -> Result<Rule, Fault> {
    let lines = Lines::new("");
    read_rule(Path::new(id), Table::of(entries, &lines), true)
}

fn read_rule(path: &Path, table: Table<'_>, may_name_pass: bool) -> Result<Rule, Fault> {
    let mut table = table.only(&KEYS)?;
    if let Some(pass) = table.peek("pass").filter(|_| !may_name_pass) {
        let message =
            "`pass` is for the rules of dockeropt itself: write `[match]` and `[rewrite]`";
        return Err(Fault::new(pass, message));
    }
    check_kind(&table)?;
    let id = read_id(path)?;
    let summary = read_summary(table.need("summary")?)?;
    let phase = table.need("phase")?.parse()?;
    let claim = table.need("applicability")?;
    let (claim_line, applicability) = (claim.line, claim.parse()?);
    let effects = read_effects(table.need("effects")?)?;
    let why = read_text(table.need("why")?)?;
    let declines = table
        .take("declines")
        .map_or(Ok(Vec::new()), Item::strings)?;
    let enabled = table.take("enabled").map_or(Ok(true), Item::boolean)?;
    let cache = table.take("cache").map(Item::parse).transpose()?;
    let aliases = table
        .take("aliases")
        .map_or(Ok(Vec::new()), Item::strings)?;
    let estimate = table.take("estimate").map(read_estimate).transpose()?;
    let options = table
        .take("options")
        .map_or(Ok(BTreeMap::new()), read_options)?;
    let action = read_action(&mut table, &options)?;
    let only_reports = matches!(&action, Action::Pattern(pattern) if pattern.rewrite.is_none());
    if only_reports && applicability != Applicability::Suggestion {
        let message = "without `[rewrite]`, `applicability` is `suggestion`";
        return Err(Fault::new(claim_line, message));
    }
    let examples = read_examples(&mut table, applicability)?;
    Ok(Rule {
        id,
        summary,
        phase,
        applicability,
        effects,
        why: why.into(),
        declines: declines.into(),
        enabled,
        cache,
        aliases,
        estimate,
        options,
        action,
        examples: examples.into(),
    })
}

/// The id is the file's name: it cannot differ from it, nor be given twice in one folder.
fn read_id(path: &Path) -> Result<String, Fault> {
    let id = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !id.split('-').all(is_word) {
        let message = format!("the file's name `{id}` is the rule's id: kebab-case, `a-z`, `0-9`");
        return Err(Fault::new(1, message));
    }
    Ok(id.into_owned())
}

fn read_summary(item: Item<'_>) -> Result<String, Fault> {
    let line = item.line;
    let summary = read_text(item)?;
    if summary.contains('\n') || summary.ends_with('.') {
        return Err(Fault::new(
            line,
            "`summary` is one line without a full stop",
        ));
    }
    Ok(summary)
}

fn read_text(item: Item<'_>) -> Result<String, Fault> {
    let (line, key) = (item.line, item.key.clone());
    let text = item.string()?.trim().to_owned();
    if text.is_empty() {
        return Err(Fault::new(line, format!("`{key}` is empty")));
    }
    Ok(text)
}

/// `["none"]` is the empty list: a rule that changes nothing but spelling says so.
fn read_effects(item: Item<'_>) -> Result<Vec<Effect>, Fault> {
    let line = item.line;
    let names = item.list();
    if names.is_empty() {
        return Err(Fault::new(
            line,
            "`effects` is empty, expected `[\"none\"]` or what changes",
        ));
    }
    if let [only] = names.as_slice()
        && only.is("none")
    {
        return Ok(Vec::new());
    }
    if let Some(none) = names.iter().find(|name| name.is("none")) {
        return Err(Fault::new(none.line, "the effect `none` stands alone"));
    }
    names.into_iter().map(Item::parse).collect()
}

fn read_estimate(item: Item<'_>) -> Result<Estimate, Fault> {
    let mut table = item.table()?.only(&["low", "high", "source"])?;
    let line = table.line;
    let low = table.need("low")?.bytes()?;
    let high = table.need("high")?.bytes()?;
    let source = read_text(table.need("source")?)?;
    if low > high {
        return Err(Fault::new(line, "`estimate.low` is above `estimate.high`"));
    }
    let saving = Saving { low, high };
    Ok(Estimate { saving, source })
}

fn read_options(item: Item<'_>) -> Result<BTreeMap<String, RuleOption>, Fault> {
    let options = item.table()?.into_items();
    options
        .into_iter()
        .map(|item| Ok((item.name.clone(), read_option(item)?)))
        .collect()
}

fn read_option(item: Item<'_>) -> Result<RuleOption, Fault> {
    let mut table = item
        .table()?
        .only(&["about", "default", "values", "refused", "form"])?;
    let about = read_text(table.need("about")?)?;
    let default = table.need("default")?;
    let (line, default) = (default.line, default.plain()?);
    let values = table.take("values").map_or(Ok(Vec::new()), Item::strings)?;
    let option = RuleOption {
        about,
        default,
        values,
        refused: table
            .take("refused")
            .map_or(Ok(BTreeMap::new()), read_texts)?,
        form: table.take("form").map(Item::parse).transpose()?,
    };
    match option.fault(&option.default) {
        Some(message) => Err(Fault::new(line, format!("`default` {message}"))),
        None => Ok(option),
    }
}

fn read_texts(item: Item<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let texts = item.table()?.into_items();
    let texts = texts.into_iter();
    texts
        .map(|item| Ok((item.name.clone(), read_text(item)?)))
        .collect()
}

/// A rule is coded or declarative, and has no key of the other kind.
fn check_kind(table: &Table<'_>) -> Result<(), Fault> {
    let (foreign, needed) = match (table.peek("pass"), table.peek("match")) {
        (Some(_), Some(line)) => {
            let message = "only one of `pass` and `[match]` may be given";
            return Err(Fault::new(line, message));
        }
        (None, None) => return Err(Fault::new(1, "one of `pass` and `[match]` is missing")),
        (Some(_), None) => (["rewrite", "message"], "`[match]`"),
        (None, Some(_)) => (["data", "options"], "`pass`"),
    };
    for key in foreign {
        if let Some(line) = table.peek(key) {
            return Err(Fault::new(line, format!("`{key}` needs {needed}")));
        }
    }
    Ok(())
}

fn read_action(
    table: &mut Table<'_>,
    options: &BTreeMap<String, RuleOption>,
) -> Result<Action, Fault> {
    if let Some(on) = table.take("match") {
        let pattern = Pattern::parse(on, table.take("rewrite"), table.take("message"))?;
        return Ok(Action::Pattern(Box::new(pattern)));
    }
    let defaults = options
        .iter()
        .map(|(name, option)| (name.clone(), option.default.clone()));
    Ok(Action::Pass {
        name: read_text(table.need("pass")?)?,
        options: defaults.collect(),
        data: table
            .take("data")
            .map_or(Ok("{}".to_owned()), Item::json)?
            .into(),
    })
}

fn read_examples(
    table: &mut Table<'_>,
    applicability: Applicability,
) -> Result<Vec<Example>, Fault> {
    let items = table.need("example")?.list();
    let first_line = items.first().map_or(1, |item| item.line);
    let examples: Vec<Example> = items
        .into_iter()
        .map(read_example)
        .collect::<Result<_, _>>()?;
    let Some(first) = examples.first() else {
        return Err(Fault::new(first_line, "`example` is empty"));
    };
    let is_at_work = first.before != first.after || !first.writes.is_empty();
    if applicability != Applicability::Suggestion && !is_at_work {
        let message = "the first `[[example]]` shows the rule at work: `after` equals `before`";
        return Err(Fault::new(first_line, message));
    }
    Ok(examples)
}

fn read_example(item: Item<'_>) -> Result<Example, Fault> {
    let mut table = item
        .table()?
        .only(&["before", "after", "files", "writes"])?;
    let before = table.need("before")?.string()?;
    let after = table.need("after")?.string()?;
    let [files, writes] = ["files", "writes"].map(|key| {
        let files = match table.take(key) {
            Some(files) => files.table()?.into_items(),
            None => Vec::new(),
        };
        let named = files.into_iter();
        let named = named.map(|file| Ok((file.name.clone(), file.string()?)));
        named.collect::<Result<_, Fault>>()
    });
    Ok(Example {
        before,
        after,
        files: files?,
        writes: writes?,
    })
}

#[cfg(test)]
mod tests;
