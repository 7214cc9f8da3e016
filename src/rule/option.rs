//! What users may set for a rule, and what is wrong with what they set.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use serde::Serialize;

use super::is_inside;
use super::name::{self, UnknownName};

/// Something that a user may set for a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleOption {
    /// What it decides, one line.
    pub about: String,
    /// The value where nothing is configured; a configured one has its type.
    pub default: toml::Value,
    /// The allowed values of a string; empty where every string is allowed.
    pub values: Vec<String>,
    /// Values that a user may expect, and why they are not allowed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, String>,
    /// What a string, or each of a list, has to be; `None` where it may be anything.
    pub form: Option<Form>,
}

/// What a text that a user sets has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The name of a build stage, or nothing.
    StageName,
    /// The name of a package of a distribution, without its version.
    Package,
    /// A path in the build context, as a pattern.
    Path,
}

impl RuleOption {
    /// What is wrong with `value` for this option; `None` where it may be set.
    pub fn fault(&self, value: &toml::Value) -> Option<String> {
        if !value.same_type(&self.default) {
            let (found, expected) = (value.type_str(), self.default.type_str());
            return Some(format!("is of type {found}, expected {expected}"));
        }
        if let Some(list) = value.as_array() {
            return list.iter().find_map(|one| self.element_fault(one));
        }
        let malformed = |text: &str| self.form.and_then(|form| form.fault(text));
        if let Some(fault) = value.as_str().and_then(malformed) {
            return Some(fault);
        }
        let text = value.as_str().filter(|_| !self.values.is_empty())?;
        if let Some(why) = self.refused.get(text) {
            let allowed: Vec<String> = self.values.iter().map(|one| format!("`{one}`")).collect();
            let allowed = allowed.join(", ");
            return Some(format!("refuses `{text}`: {why} (allowed: {allowed})"));
        }
        let found = name::find("value", text, &self.values);
        found.err().map(|unknown| format!("has the {unknown}"))
    }
}

impl RuleOption {
    /// What is wrong with an element of a list, which is a string.
    fn element_fault(&self, element: &toml::Value) -> Option<String> {
        match element.as_str() {
            Some(text) => self.form.and_then(|form| form.fault(text)),
            None => Some(format!(
                "holds a value of type {}, expected string",
                element.type_str()
            )),
        }
    }
}

impl Form {
    /// What is wrong with a text of this form.
    fn fault(self, text: &str) -> Option<String> {
        let is_plain = |byte: u8, others: &[u8]| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || others.contains(&byte)
        };
        let is_right = match self {
            Self::StageName => {
                text.is_empty()
                    || text.starts_with(|ch: char| ch.is_ascii_lowercase())
                        && text.bytes().all(|byte| is_plain(byte, b"-_."))
                        && !matches!(text, "scratch" | "context")
            }
            Self::Package => {
                text.starts_with(|ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit())
                    && text.bytes().all(|byte| is_plain(byte, b"+-."))
            }
            Self::Path => {
                let count = |ch| text.matches(ch).count();
                is_inside(text) && !text.contains('\\') && count('[') == count(']')
            }
        };
        (!is_right).then(|| format!("has `{text}`, which is not {self}"))
    }
}

impl Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::StageName => "the name of a stage (`a-z0-9-_.`)",
            Self::Package => "the name of a package",
            Self::Path => "a path in the build context, or a pattern of one",
        })
    }
}

impl FromStr for Form {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "stage-name" => Ok(Self::StageName),
            "package" => Ok(Self::Package),
            "path" => Ok(Self::Path),
            _ => {
                let all = ["stage-name", "package", "path"].map(str::to_owned);
                Err(UnknownName::new("form", name, all))
            }
        }
    }
}
