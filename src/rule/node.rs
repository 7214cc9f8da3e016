//! TOML as a tree in which each node knows where it stands: from a text, or from what the build script made of one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// A value, and the offset in the text at which it starts. The build script leaves no offsets: there all are 0.
#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) at: usize,
    pub(super) value: Value<'t>,
}

#[derive(Debug)]
pub(super) enum Value<'t> {
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Table(Entries<'t>),
    /// A number, a date, true or false; or why it is none after all, as a number that does not fit into 64 bits.
    Plain(Result<toml::Value, String>),
}

/// Each key with the offset at which it stands, and its value.
pub(super) type Entries<'t> = BTreeMap<Cow<'t, str>, (usize, Node<'t>)>;

/// What a table of TOML holds.
pub(super) fn entries(table: DeTable<'_>) -> Entries<'_> {
    let entries = table.into_iter();
    entries
        .map(|(key, value)| (key.span().start, key.into_inner(), Node::of(value)))
        .map(|(at, key, value)| (key, (at, value)))
        .collect()
}

impl<'t> Node<'t> {
    fn of(value: Spanned<DeValue<'t>>) -> Self {
        let span = value.span();
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text),
            DeValue::Array(list) => Value::List(list.into_iter().map(Self::of).collect()),
            DeValue::Table(table) => Value::Table(entries(table)),
            plain => {
                let plain = ValueDeserializer::from(Spanned::new(span.clone(), plain));
                let plain = toml::Value::deserialize(plain.into_deserializer());
                Value::Plain(plain.map_err(|error| error.message().to_owned()))
            }
        };
        let at = span.start;
        Self { at, value }
    }
}

impl Value<'_> {
    /// The value without its places.
    ///
    /// # Errors
    /// Why a value in it is none.
    pub(super) fn plain(self) -> Result<toml::Value, String> {
        match self {
            Self::Text(text) => Ok(toml::Value::String(text.into_owned())),
            Self::List(list) => {
                let list = list.into_iter().map(|node| node.value.plain());
                list.collect::<Result<_, _>>().map(toml::Value::Array)
            }
            Self::Table(entries) => {
                let entries = entries.into_iter();
                let entries = entries.map(|(key, (_, node))| Ok((key.into(), node.value.plain()?)));
                entries.collect::<Result<_, _>>().map(toml::Value::Table)
            }
            Self::Plain(value) => value,
        }
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_any(OfJson)?;
        Ok(Self { at: 0, value })
    }
}

struct OfJson;

impl<'de> Visitor<'de> for OfJson {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what TOML can hold")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Plain(Ok(value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Plain(Ok(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        let value = i64::try_from(value).map_err(|error| error.to_string());
        Ok(Value::Plain(value.map(toml::Value::from)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Plain(Ok(value.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
        let mut entries = Entries::new();
        while let Some((key, node)) = table.next_entry::<String, Node<'de>>()? {
            entries.insert(Cow::Owned(key), (0, node));
        }
        Ok(Value::Table(entries))
    }
}
