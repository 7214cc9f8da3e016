//! `apt-get install --no-install-recommends`, with the recommended packages that would be missed named in the install.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use crate::context::glob;
use crate::pass::command::{self, has_flag, is_any, leading_words};
use crate::pass::runs::Step;
use crate::pass::{Findings, Pass, PassContext};
use crate::report::Fix;
use crate::syntax::Item;
use crate::syntax::shell::{Command, Word};
use crate::text::{Edit, Span, contains};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AptNoRecommends {
    /// The leading words of an install.
    install: Vec<Vec<String>>,
    /// The flag that is added.
    flag: String,
    /// Flags that say the same, or the opposite.
    respected: Vec<String>,
    /// Settings that decide for every install of the stage.
    settings: Vec<String>,
    /// Words of a comment that speak of the choice.
    comments: Vec<String>,
    /// Packages whose recommended packages are much of what they are for, by name or pattern.
    unclear: Vec<String>,
    /// Recommended packages that would be missed, by package.
    companions: BTreeMap<String, Vec<String>>,
    /// Companions that are needed only where a text shows it.
    when: Vec<When>,
    /// What brings a package too.
    provides: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    packages: Vec<String>,
    mentions: Vec<String>,
    needs: Vec<String>,
    then: Then,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Then {
    Add,
    Decline,
}

impl Pass for AptNoRecommends {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let mentions = Mentions {
            text: cx.text,
            last: RefCell::default(),
        };
        let spoken_of = self.is_spoken_of(cx);
        // What is known at the end of each stage so far, for those that are built on it.
        let mut ends: Vec<Known> = Vec::new();
        for stage in cx.stages {
            let base = stage.base.map(|base| ends[base].clone());
            let mut known = base.unwrap_or_default();
            known.ships = stage.ships;
            for step in &stage.steps {
                known.is_set |= spoken_of || self.sets(cx, step);
                let Some(script) = step.script() else {
                    continue;
                };
                for found in script.commands() {
                    let added = self.look(cx, &known, &mentions, found.command, out);
                    if found.inside.is_none() {
                        known.installed.extend(added);
                    }
                }
                known.installed.extend(self.installed_by(step));
            }
            ends.push(known);
        }
    }

    fn marks(&self) -> Vec<&str> {
        command::names(&self.install)
    }
}

/// What is known before a step.
#[derive(Clone, Default)]
struct Known {
    ships: bool,
    /// Whether a setting decides for every install.
    is_set: bool,
    /// The packages that earlier steps name, and those that were added so far.
    installed: BTreeSet<String>,
}

/// The last place of each text that shows the use of a package, looked for once it matters.
struct Mentions<'a> {
    text: &'a [u8],
    last: RefCell<HashMap<String, Option<u32>>>,
}

impl Mentions<'_> {
    /// Whether one of `texts` stands at `start` or behind it; no texts at all need no such proof.
    fn any_from(&self, start: u32, texts: &[String]) -> bool {
        if texts.is_empty() {
            return true;
        }
        let mut found = texts.iter().filter_map(|text| self.last(text));
        found.any(|last| last >= start)
    }

    fn last(&self, one: &str) -> Option<u32> {
        if let Some(last) = self.last.borrow().get(one) {
            return *last;
        }
        let last = memchr::memmem::rfind(self.text, one.as_bytes()).map(|at| at as u32);
        self.last.borrow_mut().insert(one.to_owned(), last);
        last
    }
}

impl AptNoRecommends {
    /// Reports or declines one command; the packages that its fix names too.
    fn look(
        &self,
        cx: &PassContext<'_>,
        known: &Known,
        mentions: &Mentions<'_>,
        command: &Command,
        out: &mut Findings,
    ) -> BTreeSet<String> {
        let none = BTreeSet::new();
        let leading = self.install.iter();
        let Some(last) = leading.filter_map(|one| leading_words(command, one)).next() else {
            return none;
        };
        if self.respected.iter().any(|flag| has_flag(command, flag)) {
            return none;
        }
        let found = packages_of(command, last).and_then(|packages| {
            let added = self.added(known, mentions, command.span.start, &packages)?;
            Ok((packages, added))
        });
        match found {
            Ok((packages, _)) if packages.is_empty() => none,
            Ok((packages, added)) => {
                let fix = self.fix(cx, command, last, &packages, &added);
                out.report(command.span, "recommended packages are installed too", fix);
                added
            }
            Err(reason) => {
                out.decline(command.span, reason);
                none
            }
        }
    }

    /// The packages that have to be named too.
    fn added(
        &self,
        known: &Known,
        mentions: &Mentions<'_>,
        start: u32,
        packages: &[(&Word, &str)],
    ) -> Result<BTreeSet<String>, String> {
        if !known.ships {
            return Err("this stage does not ship".to_owned());
        }
        if known.is_set {
            return Err("the file decides about recommended packages by itself".to_owned());
        }
        let unclear = |name: &str| {
            self.unclear
                .iter()
                .any(|pattern| matches_name(pattern, name))
        };
        if let Some((_, name)) = packages.iter().find(|(_, name)| unclear(name)) {
            return Err(format!(
                "much of what `{name}` is for comes as recommended packages"
            ));
        }
        let mut here: BTreeSet<String> = packages
            .iter()
            .map(|(_, name)| (*name).to_owned())
            .collect();
        let mut added = BTreeSet::new();
        let mut todo: Vec<String> = packages
            .iter()
            .map(|(_, name)| (*name).to_owned())
            .collect();
        while let Some(name) = todo.pop() {
            for needed in self.needed_by(&name, mentions, start) {
                if !self.is_there(&needed, known, &here) {
                    here.insert(needed.clone());
                    added.insert(needed.clone());
                    todo.push(needed);
                }
            }
        }
        for when in &self.when {
            let is_there = |one: &String| holds(&known.installed, one) || holds(&here, one);
            let is_missing = |one: &String| !self.is_there(one, known, &here);
            if when.then == Then::Decline
                && when.packages.iter().any(is_there)
                && when.needs.iter().any(is_missing)
                && mentions.any_from(start, &when.mentions)
            {
                let names = when.needs.join("`, `");
                return Err(format!(
                    "a later command may need `{names}`, which came as recommended packages"
                ));
            }
        }
        Ok(added)
    }

    /// The packages that `name` needs beside it, as far as they are known.
    fn needed_by(&self, name: &str, mentions: &Mentions<'_>, start: u32) -> Vec<String> {
        let always = self.companions.iter();
        let always = always.filter(|(pattern, _)| matches_name(pattern, name));
        let always = always.flat_map(|(_, needed)| needed);
        let shown = self.when.iter().filter(|when| {
            let named = when
                .packages
                .iter()
                .any(|pattern| matches_name(pattern, name));
            when.then == Then::Add && named && mentions.any_from(start, &when.mentions)
        });
        let shown = shown.flat_map(|when| &when.needs);
        always.chain(shown).cloned().collect()
    }

    /// Whether a comment shows that the author has thought of it.
    fn is_spoken_of(&self, cx: &PassContext<'_>) -> bool {
        let mut comments = cx.file.items.iter().filter_map(|item| match item {
            Item::Comment(span) => Some(*span),
            _ => None,
        });
        comments.any(|comment| {
            let text = cx.shown(comment).to_lowercase();
            self.comments
                .iter()
                .any(|words| text.contains(words.as_str()))
        })
    }

    fn sets(&self, cx: &PassContext<'_>, step: &Step<'_>) -> bool {
        let text = step.instruction.span.of(cx.text);
        self.settings.iter().any(|setting| contains(text, setting))
    }

    /// Whether a package is named, or one that brings it, before or in this install.
    fn is_there(&self, needed: &str, known: &Known, here: &BTreeSet<String>) -> bool {
        let providers = self.provides.get(needed).into_iter().flatten();
        let mut names = providers.map(String::as_str).chain([needed]);
        names.any(|pattern| holds(&known.installed, pattern) || holds(here, pattern))
    }

    /// The packages that a step names in its installs.
    fn installed_by(&self, step: &Step<'_>) -> Vec<String> {
        let Some(script) = step.script() else {
            return Vec::new();
        };
        let installs = script
            .commands()
            .into_iter()
            .filter(|at| is_any(at.command, &self.install));
        let words = installs.flat_map(|at| &at.command.words);
        let names = words.filter_map(|word| word.literal.as_deref());
        names.map(|name| package_name(name).to_owned()).collect()
    }

    fn fix(
        &self,
        cx: &PassContext<'_>,
        command: &Command,
        last: usize,
        packages: &[(&Word, &str)],
        added: &BTreeSet<String>,
    ) -> Option<Fix> {
        let short = |word: &&Word| {
            [
                "-y",
                "-q",
                "-qq",
                "-yq",
                "-qy",
                "-yqq",
                "-qqy",
                "--yes",
                "--assume-yes",
            ]
            .contains(&&*word.text)
        };
        let flags = command.words[last + 1..].iter().take_while(short).count();
        let behind = &command.words[last + flags];
        let mut edits = vec![Edit::insert(behind.span.end, format!(" {}", self.flag))];
        if !added.is_empty() {
            let (end, _) = packages.last()?;
            let separator = separator_before(cx.text, command, end);
            edits.push(Edit::insert(end.span.end, added_text(&separator, added)));
        }
        let title = match added.is_empty() {
            true => format!("add `{}`", self.flag),
            false => {
                let names: Vec<_> = added.iter().map(|name| format!("`{name}`")).collect();
                format!("add `{}`, and name {}", self.flag, names.join(", "))
            }
        };
        cx.fix(title, edits)
    }
}

/// The literal package names behind word `last`.
fn packages_of(command: &Command, last: usize) -> Result<Vec<(&Word, &str)>, String> {
    let mut packages = Vec::new();
    let mut is_value = false;
    for word in &command.words[last + 1..] {
        if std::mem::take(&mut is_value) {
            continue;
        }
        let Some(text) = word.literal.as_deref().or_else(|| versioned(word)) else {
            return Err(format!("what `{}` expands to is not known", word.text));
        };
        if text.starts_with('-') {
            is_value =
                ["-t", "-o", "-c", "-a", "-P", "--target-release", "--option"].contains(&text);
        } else if text.contains(".deb") || text.starts_with(['.', '/']) {
            return Err(format!(
                "what the package file `{text}` recommends is not known"
            ));
        } else {
            packages.push((word, package_name(text)));
        }
    }
    Ok(packages)
}

/// `curl=7.88*` and `curl=$VERSION`: the package is known, whatever its version.
fn versioned(word: &Word) -> Option<&str> {
    let (name, _) = word.text.split_once('=')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-.:".contains(c);
    let named = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain);
    named.then_some(name)
}

/// `curl:amd64`, `curl=7.88*` and `curl/bookworm-backports` are `curl`.
fn package_name(word: &str) -> &str {
    word.split([':', '=', '/']).next().unwrap_or(word)
}

/// Whether `name` matches `pattern`, where `*` and `[…]` are those of a shell.
fn matches_name(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '[']) {
        return name == pattern;
    }
    let plain = pattern.find(['*', '?', '[', '\\']).unwrap_or(0);
    name.starts_with(&pattern[..plain]) && glob::matches(pattern, name).unwrap_or(false)
}

/// Whether a name of `set` matches `pattern`.
fn holds(set: &BTreeSet<String>, pattern: &str) -> bool {
    let Some(prefix) = pattern.strip_suffix('*') else {
        return set.contains(pattern);
    };
    let mut from = set.range(prefix.to_owned()..);
    from.next().is_some_and(|name| name.starts_with(prefix))
}

/// What stands before the last package, without comments: the added names stand on lines of their own where it does.
fn separator_before(text: &[u8], command: &Command, last: &Word) -> Vec<u8> {
    let mut words = command.words.iter().rev();
    let Some(before) = words.find(|word| word.span.end <= last.span.start) else {
        return b" ".to_vec();
    };
    let between = Span::new(before.span.end, last.span.start).of(text);
    let first = between.iter().position(|byte| *byte == b'\n');
    let indent = between.iter().rposition(|byte| *byte == b'\n');
    match (first, indent) {
        (Some(first), Some(indent)) if between.trim_ascii_start().starts_with(b"\\") => {
            [&between[..=first], &between[indent + 1..]].concat()
        }
        _ => b" ".to_vec(),
    }
}

fn added_text(separator: &[u8], added: &BTreeSet<String>) -> Vec<u8> {
    let names = added.iter().map(String::as_bytes);
    names.flat_map(|name| [separator, name].concat()).collect()
}
