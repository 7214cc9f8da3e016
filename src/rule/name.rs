//! Names out of closed lists: a wrong one is answered with the nearest right one.

use std::fmt::{self, Display};

/// A name that is not on its closed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What the list holds: `phase`, `effect`, `key`, `rule` …
    pub kind: &'static str,
    /// What was written.
    pub name: String,
    /// The name that was probably meant.
    pub meant: Option<String>,
    /// Every allowed name; empty where there are too many to print.
    pub allowed: Vec<String>,
}

impl UnknownName {
    /// The answer to `name`, which is none of `allowed`.
    pub fn new(kind: &'static str, name: &str, allowed: impl IntoIterator<Item = String>) -> Self {
        let allowed: Vec<String> = allowed.into_iter().collect();
        let meant = nearest(name, allowed.iter().map(String::as_str)).map(str::to_owned);
        let name = name.to_owned();
        Self {
            kind,
            name,
            meant,
            allowed,
        }
    }

    /// The same answer without the list, for lists that are too long to print.
    pub fn briefly(mut self) -> Self {
        self.allowed.clear();
        self
    }
}

impl Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`", self.kind, self.name)?;
        if let Some(meant) = &self.meant {
            write!(f, ", did you mean `{meant}`?")?;
        }
        if !self.allowed.is_empty() {
            write!(f, " (allowed: {})", quoted(&self.allowed))?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownName {}

/// The member of `all` that is displayed as `name`.
///
/// # Errors
/// `UnknownName` with the whole list.
pub(crate) fn find<T: Clone + Display>(
    kind: &'static str,
    name: &str,
    all: &[T],
) -> Result<T, UnknownName> {
    all.iter()
        .find(|member| member.to_string() == name)
        .cloned()
        .ok_or_else(|| UnknownName::new(kind, name, all.iter().map(T::to_string)))
}

/// `names` as a list for messages: each in backticks.
fn quoted(names: &[impl Display]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The candidate nearest to `name`, if one is near: at most one typing mistake in three letters.
fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_answered_with_the_name_meant() {
        let all = ["normalize".to_owned(), "commands".to_owned()];
        assert_eq!(
            UnknownName::new("phase", "comands", all.clone()).to_string(),
            "unknown phase `comands`, did you mean `commands`? (allowed: `normalize`, `commands`)"
        );
        assert_eq!(
            UnknownName::new("phase", "speed", all)
                .briefly()
                .to_string(),
            "unknown phase `speed`"
        );
    }
}
