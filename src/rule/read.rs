//! Reads TOML with the line of everything: unknown keys, missing keys, wrong types and wrong names become faults.
//!
//! Used for rules and for `dockeropt.toml`. Never reads a file.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::name::UnknownName;
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
    entries: DeTable<'t>,
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
    value: Spanned<DeValue<'t>>,
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
        Ok(Self {
            line: 1,
            name: String::new(),
            entries: table.into_inner(),
            lines,
        })
    }

    /// Holds the keys against the closed list.
    ///
    /// # Errors
    /// A fault at the first key, in the order of the text, that is not `allowed`.
    pub(crate) fn only(self, allowed: &[&str]) -> Result<Self, Fault> {
        let strange = self
            .entries
            .keys()
            .filter(|key| !allowed.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        let Some(key) = strange else {
            return Ok(self);
        };
        let allowed = allowed.iter().map(|key| (*key).to_owned());
        let unknown = UnknownName::new("key", key.get_ref(), allowed);
        let place = match self.name.as_str() {
            "" => String::new(),
            name => format!("in `{name}`: "),
        };
        let line = self.lines.at(key.span().start);
        Err(Fault::new(line, format!("{place}{unknown}")))
    }

    /// The line of `key`, if it is there.
    pub(crate) fn peek(&self, key: &str) -> Option<u32> {
        let (name, _) = self.entries.get_key_value(key)?;
        Some(self.lines.at(name.span().start))
    }

    /// Removes the value of `key`.
    pub(crate) fn take(&mut self, key: &str) -> Option<Item<'t>> {
        let (name, value) = self.entries.remove_entry(key)?;
        Some(Item::new(self.lines, &self.name, &name, value))
    }

    /// Removes the value of `key`, which must be there.
    ///
    /// # Errors
    /// A fault where it is not.
    pub(crate) fn need(&mut self, key: &str) -> Result<Item<'t>, Fault> {
        let missing = format!("`{}` is missing", full(&self.name, key));
        self.take(key).ok_or_else(|| Fault::new(self.line, missing))
    }

    /// Every key and its value, in the order of the text.
    pub(crate) fn into_items(self) -> Vec<Item<'t>> {
        let (table, lines) = (self.name, self.lines);
        let mut entries: Vec<_> = self.entries.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| Item::new(lines, &table, &key, value))
            .collect()
    }
}

impl<'t> Item<'t> {
    fn new(
        lines: &'t Lines,
        table: &str,
        key: &Spanned<DeString<'t>>,
        value: Spanned<DeValue<'t>>,
    ) -> Self {
        let name = key.get_ref().to_string();
        Self {
            line: lines.at(key.span().start),
            key: full(table, &name),
            name,
            value,
            lines,
        }
    }

    /// Whether it is the string `text`.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.value.get_ref().as_str() == Some(text)
    }

    /// A string.
    ///
    /// # Errors
    /// A fault where it is something else.
    pub(crate) fn string(self) -> Result<String, Fault> {
        match self.value.into_inner() {
            DeValue::String(text) => Ok(text.into_owned()),
            other => Err(wrong(self.line, &self.key, "a string", &other)),
        }
    }

    /// A boolean.
    ///
    /// # Errors
    /// A fault where it is something else.
    pub(crate) fn boolean(self) -> Result<bool, Fault> {
        match self.value.into_inner() {
            DeValue::Boolean(value) => Ok(value),
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
        let DeValue::Array(items) = self.value.get_ref() else {
            return vec![self];
        };
        let item = |value: &Spanned<DeValue<'t>>| Item {
            line: self.lines.at(value.span().start),
            name: self.name.clone(),
            key: self.key.clone(),
            value: value.clone(),
            lines: self.lines,
        };
        items.iter().map(item).collect()
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
        match self.value.into_inner() {
            DeValue::Table(entries) => Ok(Table {
                line: self.line,
                name: self.key,
                entries,
                lines: self.lines,
            }),
            other => Err(wrong(self.line, &self.key, "a table", &other)),
        }
    }

    /// Whatever it is.
    ///
    /// # Errors
    /// A fault where a number does not fit into 64 bits.
    pub(crate) fn plain(self) -> Result<toml::Value, Fault> {
        let value = ValueDeserializer::from(self.value).into_deserializer();
        toml::Value::deserialize(value).map_err(|error| Fault::new(self.line, error.message()))
    }
}

fn full(table: &str, key: &str) -> String {
    match table {
        "" => key.to_owned(),
        table => format!("{table}.{key}"),
    }
}

fn wrong(line: u32, key: &str, expected: &str, found: &DeValue<'_>) -> Fault {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Fault::new(line, format!("`{key}` is {found}, expected {expected}"))
}
