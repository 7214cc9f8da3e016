//! Reads TOML with the line of everything: unknown keys, missing keys, wrong types and wrong names become faults.
//!
//! Used for rules and for `dockeropt.toml`. Never reads a file.

use std::fmt::Display;
use std::str::FromStr;

use toml::de::DeTable;

use super::name::UnknownName;
use super::node::{self, Entries, Node, Value};
use crate::text::LineIndex;

/// Something wrong in a TOML text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The 1-based line.
    pub(crate) line: u32,
    /// What is wrong, and what is allowed.
    pub(crate) message: String,
}

impl Fault {
    /// A fault in `line`.
    pub(crate) fn new(line: u32, message: impl Display) -> Self {
        let message = message.to_string();
        Self { line, message }
    }
}

/// The lines of one TOML text.
pub(crate) struct Lines(LineIndex);

impl Lines {
    /// The lines of `text`.
    pub(crate) fn new(text: &str) -> Self {
        Self(LineIndex::new(text.as_bytes()))
    }

    fn at(&self, offset: usize) -> u32 {
        self.0.line(u32::try_from(offset).unwrap_or(u32::MAX))
    }
}

/// A table whose keys are taken one by one.
pub(crate) struct Table<'t> {
    /// The 1-based line on which it starts.
    pub(crate) line: u32,
    name: String,
    entries: Entries<'t>,
    lines: &'t Lines,
}

/// A value and where it stands.
pub(crate) struct Item<'t> {
    /// The 1-based line.
    pub(crate) line: u32,
    /// The key.
    pub(crate) name: String,
    /// The key with its table's: `match.command`.
    pub(crate) key: String,
    node: Node<'t>,
    lines: &'t Lines,
}

impl<'t> Table<'t> {
    /// The whole of a TOML text.
    ///
    /// # Errors
    /// A fault where the text is not TOML.
    pub(crate) fn parse(text: &'t str, lines: &'t Lines) -> Result<Self, Fault> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = lines.at(error.span().map_or(0, |span| span.start));
            Fault::new(line, format!("not TOML: {}", error.message()))
        })?;
        Ok(Self::of(node::entries(table.into_inner()), lines))
    }

    /// The whole of a text that was read before, its `lines` being those of the text.
    pub(super) fn of(entries: Entries<'t>, lines: &'t Lines) -> Self {
        Self {
            line: 1,
            name: String::new(),
            entries,
            lines,
        }
    }

    /// Holds the keys against the closed list.
    ///
    /// # Errors
    /// A fault at the first key, in the order of the text, that is not `allowed`.
    pub(crate) fn only(self, allowed: &[&str]) -> Result<Self, Fault> {
        let entries = self.entries.iter().map(|(key, (at, _))| (key, *at));
        let strange = entries
            .filter(|(key, _)| !allowed.contains(&key.as_ref()))
            .min_by_key(|(_, at)| *at);
        let Some((key, at)) = strange else {
            return Ok(self);
        };
        let allowed = allowed.iter().map(|key| (*key).to_owned());
        let unknown = UnknownName::new("key", key, allowed);
        let place = match self.name.as_str() {
            "" => String::new(),
            name => format!("in `{name}`: "),
        };
        let line = self.lines.at(at);
        Err(Fault::new(line, format!("{place}{unknown}")))
    }

    /// The line of `key`, if it is there.
    pub(crate) fn peek(&self, key: &str) -> Option<u32> {
        let (at, _) = self.entries.get(key)?;
        Some(self.lines.at(*at))
    }

    /// Removes the value of `key`.
    pub(crate) fn take(&mut self, key: &str) -> Option<Item<'t>> {
        let (name, found) = self.entries.remove_entry(key)?;
        Some(Item::new(self.lines, &self.name, name.into_owned(), found))
    }

    /// Removes the value of `key`, which must be there.
    ///
    /// # Errors
    /// A fault where it is not.
    pub(crate) fn need(&mut self, key: &str) -> Result<Item<'t>, Fault> {
        let found = self.take(key);
        found.ok_or_else(|| {
            let key = full(&self.name, key);
            Fault::new(self.line, format!("`{key}` is missing"))
        })
    }

    /// Every key and its value, in the order of the text.
    pub(crate) fn into_items(self) -> Vec<Item<'t>> {
        let (table, lines) = (self.name, self.lines);
        let mut entries: Vec<_> = self.entries.into_iter().collect();
        entries.sort_by_key(|(_, (at, _))| *at);
        entries
            .into_iter()
            .map(|(name, found)| Item::new(lines, &table, name.into_owned(), found))
            .collect()
    }
}

impl<'t> Item<'t> {
    fn new(lines: &'t Lines, table: &str, name: String, (at, node): (usize, Node<'t>)) -> Self {
        Self {
            line: lines.at(at),
            key: full(table, &name),
            name,
            node,
            lines,
        }
    }

    /// Whether it is the string `text`.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(&self.node.value, Value::Text(value) if value == text)
    }

    /// A string.
    ///
    /// # Errors
    /// A fault where it is something else.
    pub(crate) fn string(self) -> Result<String, Fault> {
        match self.node.value {
            Value::Text(text) => Ok(text.into_owned()),
            other => Err(wrong(self.line, &self.key, "a string", &other)),
        }
    }

    /// A boolean.
    ///
    /// # Errors
    /// A fault where it is something else.
    pub(crate) fn boolean(self) -> Result<bool, Fault> {
        match self.node.value {
            Value::Plain(Ok(toml::Value::Boolean(value))) => Ok(value),
            other => Err(wrong(self.line, &self.key, "true or false", &other)),
        }
    }

    /// A number of bytes.
    ///
    /// # Errors
    /// A fault where it is no integer, or a negative one.
    pub(crate) fn bytes(self) -> Result<u64, Fault> {
        let (line, key) = (self.line, self.key.clone());
        match self.plain()? {
            toml::Value::Integer(value) => u64::try_from(value)
                .map_err(|_| Fault::new(line, format!("`{key}` is negative, expected bytes"))),
            _ => Err(Fault::new(line, format!("`{key}` is no number of bytes"))),
        }
    }

    /// A name of a closed list.
    ///
    /// # Errors
    /// A fault where it is no string, or not on the list.
    pub(crate) fn parse<T: FromStr<Err: Display>>(self) -> Result<T, Fault> {
        let line = self.line;
        self.string()?
            .parse()
            .map_err(|error| Fault::new(line, error))
    }

    /// The items of a list; one value that is no list stands for a list of it.
    pub(crate) fn list(self) -> Vec<Item<'t>> {
        let items = match self.node.value {
            Value::List(items) => items,
            value => {
                let at = self.node.at;
                let node = Node { at, value };
                return vec![Self { node, ..self }];
            }
        };
        let item = |node: Node<'t>| Self {
            line: self.lines.at(node.at),
            name: self.name.clone(),
            key: self.key.clone(),
            node,
            lines: self.lines,
        };
        items.into_iter().map(item).collect()
    }

    /// A list of strings, or one string.
    ///
    /// # Errors
    /// A fault at the first member that is no string.
    pub(crate) fn strings(self) -> Result<Vec<String>, Fault> {
        self.list().into_iter().map(Item::string).collect()
    }

    /// A table.
    ///
    /// # Errors
    /// A fault where it is something else.
    pub(crate) fn table(self) -> Result<Table<'t>, Fault> {
        match self.node.value {
            Value::Table(entries) => Ok(Table {
                line: self.line,
                name: self.key,
                entries,
                lines: self.lines,
            }),
            other => Err(wrong(self.line, &self.key, "a table", &other)),
        }
    }

    /// A table as JSON; the build script left it as a string that holds that.
    ///
    /// # Errors
    /// A fault where it is something else, or a number does not fit into 64 bits.
    pub(super) fn json(self) -> Result<String, Fault> {
        let (line, key) = (self.line, self.key.clone());
        match self.plain()? {
            toml::Value::String(json) => Ok(json),
            table @ toml::Value::Table(_) => {
                serde_json::to_string(&table).map_err(|error| Fault::new(line, error))
            }
            _ => Err(Fault::new(line, format!("`{key}` is no table"))),
        }
    }

    /// Whatever it is.
    ///
    /// # Errors
    /// A fault where a number does not fit into 64 bits.
    pub(crate) fn plain(self) -> Result<toml::Value, Fault> {
        let value = self.node.value.plain();
        value.map_err(|message| Fault::new(self.line, message))
    }
}

fn full(table: &str, key: &str) -> String {
    match table {
        "" => key.to_owned(),
        table => format!("{table}.{key}"),
    }
}

fn wrong(line: u32, key: &str, expected: &str, found: &Value<'_>) -> Fault {
    let found = match found {
        Value::Text(_) => "a string",
        Value::Plain(Ok(toml::Value::Boolean(_))) => "true or false",
        Value::Plain(Ok(toml::Value::Datetime(_))) => "a date",
        Value::Plain(_) => "a number",
        Value::List(_) => "a list",
        Value::Table(_) => "a table",
    };
    Fault::new(line, format!("`{key}` is {found}, expected {expected}"))
}
