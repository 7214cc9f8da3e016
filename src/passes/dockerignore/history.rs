//! Whether a build reads `.git`: by itself, through a script that it runs, or for a stamp in what it compiles.
//!
//! Finds what is written in the Dockerfiles and in the files that builds are made of. What a program does with `.git`
//! when it runs is not looked at.

use serde::Deserialize;

use super::view::{View, names};
use crate::context::{BuildContext, Kind, glob, path};
use crate::pass::command;
use crate::pass::project_place::{Place, first_words};
use crate::syntax::shell::Command;

/// How much of a file is read, in bytes, and how many files are.
const MAX_FILE: usize = 1 << 18;
const MAX_FILES: usize = 5_000;

/// What reads `.git`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Readers {
    /// Sub-commands of git that read no repository that is there.
    plain: Vec<String>,
    /// Names of files that builds are made of, as patterns.
    scripts: Vec<String>,
    /// Texts in such files that mean that git is asked.
    marks: Vec<String>,
    /// Commands that write the commit into what they compile.
    stamps: Vec<Stamp>,
}

/// A command that writes the commit into what it compiles.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Stamp {
    command: Vec<String>,
    /// The option that keeps it from doing so.
    off: String,
    /// The image family whose versions below `since` do not do it.
    family: String,
    since: f32,
    /// Whether it needs git to be installed.
    needs_git: bool,
}

/// The files of the context that builds are made of, with their texts.
pub(super) struct Scripts {
    texts: Vec<(String, String)>,
    /// Whether there are more than were read.
    truncated: bool,
}

impl Scripts {
    /// Reads those of `files` that one of the patterns names.
    pub(super) fn of<'f>(
        context: &dyn BuildContext,
        files: impl Iterator<Item = (&'f str, Kind)>,
        patterns: &[String],
    ) -> Self {
        let mut scripts = Self {
            texts: Vec::new(),
            truncated: false,
        };
        for (file, kind) in files {
            let name = path::file_name(file);
            let named = |pattern: &String| glob::matches(pattern, name) == Ok(true);
            if kind != Kind::File || !patterns.iter().any(named) {
                continue;
            }
            if scripts.texts.len() == MAX_FILES {
                scripts.truncated = true;
                break;
            }
            if let Ok(bytes) = context.read(file, MAX_FILE) {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                scripts.texts.push((file.to_owned(), text));
            }
        }
        scripts
    }

    /// The first file that holds one of `texts`, and which.
    pub(super) fn holding<'t>(&self, texts: &'t [String]) -> Option<(&str, &'t str)> {
        self.texts.iter().find_map(|(file, text)| {
            let found = texts.iter().find(|one| text.contains(one.as_str()))?;
            Some((file.as_str(), found.as_str()))
        })
    }

    /// The first file that names a file as `path` is called; the empty name where there were too many to read. Compose
    /// files do not count: they are read outside of the image.
    pub(super) fn naming(&self, path: &str) -> Option<&str> {
        let is_compose = |file: &str| path::file_name(file).contains("compose");
        let mut files = self.texts.iter().filter(|(file, _)| !is_compose(file));
        let found = files.find(|(file, text)| file != path && names(text, path));
        let found = found.map(|(file, _)| file.as_str());
        found.or(self.truncated.then_some(""))
    }
}

impl Readers {
    /// The patterns of the files that builds are made of.
    pub(super) fn scripts(&self) -> &[String] {
        &self.scripts
    }

    /// Why a build of one of `views` may read the `.git` at `path`; `None` where none does.
    pub(super) fn reason(
        &self,
        views: &[View<'_>],
        scripts: &Scripts,
        path: &str,
    ) -> Option<String> {
        let mut places = views.iter().flat_map(|view| view.steps_with(path));
        if let Some(reason) = places.find_map(|place| self.step(&place)) {
            return Some(reason);
        }
        let (file, mark) = scripts.holding(&self.marks)?;
        Some(format!("`{mark}` in `{file}` may read it"))
    }

    fn step(&self, place: &Place<'_>) -> Option<String> {
        let step = place.step();
        if !step.is_run() {
            return None;
        }
        let shown = |command: &Command| first_words(&place.cx.shown(command.span));
        let Some(script) = step.script() else {
            let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
            let is_word = |word: &str| word.trim_matches(|ch: char| !ch.is_alphanumeric()) == "git";
            let heredocs = step.instruction.heredocs.iter();
            let mut bodies = heredocs.map(|one| place.cx.shown(one.body));
            let asks = text.split_whitespace().any(is_word)
                || bodies.any(|body| body.split_whitespace().any(is_word));
            return asks.then(|| "a RUN that cannot be read names git".to_owned());
        };
        script.commands().iter().find_map(|found| {
            let command = found.command;
            if self.asks_git(command) {
                return Some(format!("`{}` reads it", shown(command)));
            }
            let stamp = self
                .stamps
                .iter()
                .find(|stamp| stamp.is_made(command, place))?;
            Some(format!(
                "`{}` writes the commit into the program (`{}` keeps it out)",
                stamp.command.join(" "),
                stamp.off
            ))
        })
    }

    fn asks_git(&self, command: &Command) -> bool {
        if command::name(command) != Some("git") {
            return false;
        }
        let words = command.words.iter().skip(1).map(|word| word.text.as_str());
        let mut words = words.skip_while(|word| word.starts_with('-') && *word != "--version");
        let plain = words
            .next()
            .is_some_and(|word| self.plain.iter().any(|one| one == word));
        !plain
    }
}

impl Stamp {
    fn is_made(&self, command: &Command, place: &Place<'_>) -> bool {
        let is_off = |word: &str| word.starts_with(&self.off);
        if command::leading_words(command, &self.command).is_none()
            || command.words.iter().any(|word| is_off(&word.text))
        {
            return false;
        }
        let facts = place.step().before.base();
        let is_family = facts
            .family
            .is_some_and(|family| family.name == self.family);
        let version = facts.version.as_deref().filter(|_| is_family);
        if version
            .and_then(number)
            .is_some_and(|version| version < self.since)
        {
            return false;
        }
        !self.needs_git || has_git(place)
    }
}

/// Major and minor of a version, the minor of two digits: 1.9 is before 1.18.
fn number(version: &str) -> Option<f32> {
    let mut parts = version.split('.').map(|part| part.parse::<u16>().ok());
    let major = f32::from(parts.next()??);
    let minor = parts.next().flatten().unwrap_or(99);
    Some(major + f32::from(minor) / 100.0)
}

/// Whether git may be installed when a step runs: on Alpine it is only where a step installed it.
fn has_git(place: &Place<'_>) -> bool {
    let mut steps = place.before().into_iter().chain([*place]);
    let installs = steps.any(|place| {
        let step = place.step();
        let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
        let is_git = |word: &str| word == "git" || word.starts_with("git=");
        step.is_run()
            && text
                .split(|ch: char| ch.is_whitespace() || ch == ';')
                .any(is_git)
    });
    let facts = place.step().before.base();
    let is_alpine = facts.words.iter().any(|word| word.starts_with("alpine"));
    installs || !is_alpine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_parts() {
        assert!(number("1.9") < number("1.18"));
        assert!(number("1.22.3") > number("1.18"));
        assert!(number("1") > number("1.18"), "a major alone is its newest");
        assert!(number("6.0") < number("8.00"));
    }
}
