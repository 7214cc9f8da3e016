//! One untyped tree for what compose, bake and CI files say, whether they are YAML, JSON or HCL.

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::Body;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A value of a configuration file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    /// A scalar, as text.
    Text(String),
    /// Something that only the tool itself can evaluate.
    Opaque,
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A build of which nothing can be read.
    pub(super) fn unknown_build() -> Self {
        let unknown = ["context", "dockerfile", "target"];
        Self::Map(unknown.map(|key| (key.to_owned(), Self::Opaque)).to_vec())
    }

    /// Reads every document of a YAML text; JSON is YAML. Aliases are expanded within a budget, and only `true` and
    /// `false` are booleans: a service may be called `y`.
    pub(super) fn from_yaml(text: &str) -> Result<Vec<Self>, String> {
        let options = serde_saphyr::options! { strict_booleans: true };
        serde_saphyr::from_multiple_with_options(text, options)
            .map_err(|error| first_line(&error.to_string()))
    }

    /// Reads HCL. Blocks become maps: `target "app" { … }` is `target: { app: … }`. Templates, variables and calls are
    /// opaque.
    pub(super) fn from_hcl(text: &str) -> Result<Self, String> {
        let body: Body = text
            .parse()
            .map_err(|error: hcl_edit::parser::Error| first_line(&error.to_string()))?;
        Ok(from_body(&body))
    }

    /// The value under `key` of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        if let Self::Map(entries) = self {
            entries
        } else {
            &[]
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) = self {
            items
        } else {
            &[]
        }
    }

    /// Puts `value` where there is a value at `path` of maps; says whether there was one.
    pub(super) fn set(&mut self, path: &[&str], value: Self) -> bool {
        let Some((name, rest)) = path.split_first() else {
            *self = value;
            return true;
        };
        let Self::Map(entries) = self else {
            return false;
        };
        let entry = entries.iter_mut().find(|(key, _)| key == name);
        entry.is_some_and(|(_, one)| one.set(rest, value))
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The `key: value` entries of a map, or the `key=value` items of a list: both are usual for build arguments.
    /// `None` for a value that is not given, or not known.
    pub(super) fn pairs(&self) -> Vec<(String, Option<String>)> {
        let of_entry =
            |(key, value): &(String, Self)| (key.clone(), value.text().map(str::to_owned));
        let of_item = |item: &Self| Some(pair(item.text()?));
        match self {
            Self::Map(entries) => entries.iter().map(of_entry).collect(),
            Self::List(items) => items.iter().filter_map(of_item).collect(),
            _ => Vec::new(),
        }
    }

    /// This value with `over` laid over it: maps entry by entry, anything else replaced.
    pub(super) fn overlaid(&self, over: &Self) -> Self {
        let (Self::Map(base), Self::Map(above)) = (self, over) else {
            return over.clone();
        };
        let mut merged = base.clone();
        for (key, value) in above {
            match merged.iter_mut().find(|(name, _)| name == key) {
                Some((_, old)) => *old = old.overlaid(value),
                None => merged.push((key.clone(), value.clone())),
            }
        }
        Self::Map(merged)
    }
}

/// `key=value`, or `key` alone.
pub(super) fn pair(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((key, value)) => (key.trim().to_owned(), Some(value.to_owned())),
        None => (text.trim().to_owned(), None),
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    /// How a tool prints a float is its own affair.
    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Opaque)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<Value, Value>()? {
            entries.push((key.text().unwrap_or_default().to_owned(), value));
        }
        Ok(Value::Map(entries))
    }
}

fn from_body(body: &Body) -> Value {
    let mut value = Value::Map(Vec::new());
    for attribute in body.attributes() {
        let entry = (
            attribute.key.as_str().to_owned(),
            from_expression(&attribute.value),
        );
        value = value.overlaid(&Value::Map(vec![entry]));
    }
    for block in body.blocks() {
        let labels = block.labels.iter().rev().map(|label| label.as_str());
        let names = labels.chain([block.ident.as_str()]);
        let nested = names.fold(from_body(&block.body), |inner, name| {
            Value::Map(vec![(name.to_owned(), inner)])
        });
        value = value.overlaid(&nested);
    }
    value
}

fn from_expression(expression: &Expression) -> Value {
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => Value::Text(value.as_ref().to_string()),
        Expression::Number(number) => Value::Text(number.as_ref().to_string()),
        Expression::String(text) => Value::Text(text.as_str().to_owned()),
        Expression::Array(array) => Value::List(array.iter().map(from_expression).collect()),
        Expression::Object(object) => {
            let entries = object
                .iter()
                .filter_map(|(key, value)| Some((object_key(key)?, from_expression(value.expr()))));
            Value::Map(entries.collect())
        }
        Expression::Parenthesis(inner) => from_expression(inner.inner()),
        _ => Value::Opaque,
    }
}

fn object_key(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
        ObjectKey::Expression(expression) => expression.as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Value {
        Value::from_yaml(text)
            .expect("well formed")
            .into_iter()
            .next()
            .expect("a document")
    }

    #[test]
    fn scalars_keep_their_text() {
        let value = yaml("a: x\nb: 8080\nc: true\nd:\ne: 1.10\nf: '1.10'\non: y\n8: z\n");
        let text = |key: &str| value.get(key).and_then(Value::text);
        assert_eq!(
            (text("a"), text("b"), text("c")),
            (Some("x"), Some("8080"), Some("true"))
        );
        assert_eq!(
            (value.get("d"), value.get("e")),
            (Some(&Value::Null), Some(&Value::Opaque))
        );
        assert_eq!(
            (text("f"), text("on"), text("8")),
            (Some("1.10"), Some("y"), Some("z"))
        );
    }

    #[test]
    fn anchors_merge_keys_and_documents() {
        let value = yaml("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n");
        let inner = value.get("y").expect("a map");
        assert_eq!(inner.get("a").and_then(Value::text), Some("1"));
        assert_eq!(inner.get("b").and_then(Value::text), Some("3"));
        assert_eq!(
            Value::from_yaml("a: 1\n---\nb: 2\n").map(|documents| documents.len()),
            Ok(2)
        );
        assert!(Value::from_yaml("a: [").is_err());
    }

    /// Nine levels of nine aliases would be 400 million values.
    #[test]
    fn alias_bombs_are_refused() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..10 {
            let alias = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![alias; 9].join(","));
        }
        assert!(Value::from_yaml(&bomb).is_err());
        let deep = "[".repeat(100_000);
        assert!(Value::from_yaml(&deep).is_err());
    }

    #[test]
    fn hcl_blocks_are_maps() {
        let text = "variable \"TAG\" { default = \"x\" }\ntarget \"app\" {\n  context = \"./app\"\n  tags = [\"a:${TAG}\", \"b\"]\n  args = { A = \"1\", \"B\" = TAG, C = 2 }\n}\n";
        let value = Value::from_hcl(text).expect("well formed");
        let app = value
            .get("target")
            .and_then(|targets| targets.get("app"))
            .expect("a target");
        assert_eq!(app.get("context").and_then(Value::text), Some("./app"));
        assert_eq!(
            app.get("tags").map(Value::items),
            Some(&[Value::Opaque, Value::Text("b".into())][..])
        );
        let args = app.get("args").expect("args").pairs();
        let expected = [("A", Some("1")), ("B", None), ("C", Some("2"))];
        assert_eq!(
            args,
            expected.map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
        );
        assert!(Value::from_hcl("target {").is_err());
    }

    #[test]
    fn pairs_of_lists() {
        let value = yaml("- A=1\n- B\n- C=x=y\n");
        let expected = [("A", Some("1")), ("B", None), ("C", Some("x=y"))];
        assert_eq!(
            value.pairs(),
            expected.map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
        );
    }
}
