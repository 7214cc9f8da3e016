//! Which of a script's words name a cache, as it is written there: `~`, variables and globs included.

use std::collections::HashMap;

use super::cache_folder::Cache;
use crate::context::path::is_at_or_below;
use crate::model::expand::Lookup;
use crate::model::state::State;
use crate::syntax::shell::{Script, Word};

/// How a path lies to a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// It is the folder, or is in it.
    Inside,
    /// The folder, or a folder around it, goes with it.
    Around,
    /// Neither.
    Apart,
}

/// The variables that a script sets, each with all values as they are written.
pub struct Assigned(HashMap<String, Vec<String>>);

impl Assigned {
    /// Those of a script.
    pub fn of(script: &Script) -> Self {
        let mut all: HashMap<String, Vec<String>> = HashMap::new();
        for at in script.commands() {
            for word in at.command.assignments.iter().chain(&at.command.words) {
                if let Some((name, value)) = word.text.split_once('=') {
                    all.entry(name.to_owned())
                        .or_default()
                        .push(value.to_owned());
                }
            }
        }
        Self(all)
    }

    /// Whether a text names one of them.
    pub fn is_in(&self, text: &str) -> bool {
        let is_name = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
        let mut variables = text.split('$').skip(1);
        variables.any(|rest| {
            let name = rest.trim_start_matches('{');
            let end = name.find(|ch| !is_name(ch)).unwrap_or(name.len());
            self.0.contains_key(&name[..end])
        })
    }
}

/// How `path`, which may have globs, lies to `folder`.
pub fn lies(path: &str, folder: &str) -> Lies {
    let mut ours = path.split('/').filter(|part| !part.is_empty());
    let mut globbed = false;
    for theirs in folder.split('/').filter(|part| !part.is_empty()) {
        let Some(part) = ours.next() else {
            return Lies::Around;
        };
        let Some(glob) = part.find(['*', '?', '[', '{']) else {
            if part != theirs {
                return Lies::Apart;
            }
            continue;
        };
        let (start, hidden) = (&part[..glob], theirs.starts_with('.'));
        if !theirs.starts_with(start) || hidden && start.is_empty() {
            return Lies::Apart;
        }
        globbed = true;
    }
    match globbed {
        true => Lies::Around,
        false => Lies::Inside,
    }
}

/// The ways in which a script may write the folder `target`.
pub fn spellings(target: &str, caches: &[Cache], state: &State) -> Vec<String> {
    let mut all = vec![target.to_owned()];
    let home = state.home().map(|home| home.trim_end_matches('/'));
    if let Some(below) = home.filter(|home| is_at_or_below(target, home)) {
        let below = &target[below.len()..];
        all.extend(["~", "$HOME", "${HOME}"].map(|home| format!("{home}{below}")));
    }
    let variables = caches.iter().flat_map(|cache| &cache.variables);
    for (name, below) in variables {
        let Lookup::Set(value) = state.lookup(name) else {
            continue;
        };
        let value = value.trim_end_matches('/');
        if is_at_or_below(target, value) && target[value.len()..].trim_start_matches('/') == below {
            let below = &target[value.len()..];
            all.extend([format!("${name}{below}"), format!("${{{name}}}{below}")]);
        }
    }
    all
}

/// Whether a text names one of `spellings`, or something below.
pub fn names(text: &str, spellings: &[String]) -> bool {
    let goes_on = |rest: &str| {
        let next = rest.chars().next();
        next.is_some_and(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_' | '.'))
    };
    spellings.iter().any(|spelling| {
        let mut found = text.match_indices(spelling.as_str());
        found.any(|(at, _)| !goes_on(&text[at + spelling.len()..]))
    })
}

/// The path of an argument, absolute where the directory that it starts from is known; `None` where it may be any.
pub fn path_of(
    word: &Word,
    assigned: &Assigned,
    state: &State,
    directory: Option<&str>,
) -> Option<String> {
    let text = word.literal.as_deref().unwrap_or(&word.text);
    let mut text: String = text
        .chars()
        .filter(|ch| !matches!(ch, '"' | '\''))
        .collect();
    if let Some(below) = text.strip_prefix('~') {
        text = format!("{}{below}", state.home()?);
    }
    if word.literal.is_none() {
        text = expanded(&text, assigned, state)?;
    }
    match (text.starts_with('/'), directory) {
        (true, _) => Some(text),
        (false, Some(directory)) => {
            let text = text.strip_prefix("./").unwrap_or(&text);
            (!text.contains("..")).then(|| format!("{directory}/{text}"))
        }
        (false, None) => None,
    }
}

/// A text with its variables replaced as far as they are known; behind the first one that is not, it may be anything.
fn expanded(text: &str, assigned: &Assigned, state: &State) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let is_name = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
        let braced = rest.strip_prefix('{');
        let name = braced.unwrap_or(rest);
        let end = name.find(|ch| !is_name(ch)).unwrap_or(name.len());
        let (name, behind) = name.split_at(end);
        let behind = match braced {
            Some(_) => behind.strip_prefix('}'),
            None => Some(behind),
        };
        match behind.and_then(|behind| Some((value_of(name, assigned, state)?, behind))) {
            Some((value, behind)) => {
                out.push_str(&value);
                rest = behind;
            }
            None if out.is_empty() => return None,
            None => return Some(out + "*"),
        }
    }
    Some(out + rest)
}

fn value_of(name: &str, assigned: &Assigned, state: &State) -> Option<String> {
    if let Some(values) = assigned.0.get(name) {
        let [value] = values.as_slice() else {
            return None;
        };
        return match (value.contains("mktemp"), value.contains(['$', '`', '~'])) {
            // A folder of its own.
            (true, _) => Some("/tmp/tmp.new".to_owned()),
            (false, true) => None,
            (false, false) => Some(value.trim_matches(['"', '\'']).to_owned()),
        };
    }
    if name == "HOME" {
        return state.home().map(str::to_owned);
    }
    state.variable(name)?.value.as_deref().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_paths_lie() {
        let lists = "/var/lib/apt/lists";
        for (path, expected) in [
            ("/var/lib/apt/lists/*", Lies::Inside),
            ("/var/lib/apt/lists", Lies::Inside),
            ("/var/lib/apt/lists/partial", Lies::Inside),
            ("/var/lib/apt/*", Lies::Around),
            ("/var/lib/a*/lists/*", Lies::Around),
            ("/var/lib/{apt,dpkg}", Lies::Around),
            ("/var/*", Lies::Around),
            ("/var", Lies::Around),
            ("/", Lies::Around),
            ("/tmp/*", Lies::Apart),
            ("/var/lib/dpkg", Lies::Apart),
        ] {
            assert_eq!(lies(path, lists), expected, "{path}");
        }
        assert_eq!(lies("/root/*", "/root/.cache/pip"), Lies::Apart);
        assert_eq!(lies("/root/.*", "/root/.cache/pip"), Lies::Around);
        assert_eq!(lies("/root/.cache", "/root/.cache/pip"), Lies::Around);
    }

    #[test]
    fn names_end_where_a_component_ends() {
        let spellings = ["/var/cache/apt".to_owned(), "~/.npm".to_owned()];
        for text in ["/var/cache/apt", "x=/var/cache/apt/archives", "'~/.npm'"] {
            assert!(names(text, &spellings), "{text}");
        }
        for text in ["/var/cache/apt-fast", "~/.npmrc", "/var/cache"] {
            assert!(!names(text, &spellings), "{text}");
        }
    }
}
