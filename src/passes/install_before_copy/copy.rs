//! What a COPY or ADD brings, and where to: whether it changes with the source, and whether an install can tell.

use super::InstallBeforeCopy;
use super::step::{System, matches_name};
use crate::context::{Entry, path};
use crate::model::Base;
use crate::pass::PassContext;
use crate::pass::runs::Step;
use crate::syntax::Keyword;

impl InstallBeforeCopy {
    /// Whether a step copies what changes with the source: the build context, a directory, a source file, or what
    /// another stage has built.
    pub(super) fn is_source(&self, cx: &PassContext<'_>, step: &Step<'_>) -> bool {
        let instruction = step.instruction;
        let Some((to, sources)) = instruction.words().split_last() else {
            return false;
        };
        match instruction.keyword {
            Keyword::Copy | Keyword::Add if instruction.flag("from").is_some() => step
                .sources()
                .iter()
                .any(|base| matches!(base, Base::Stage(_))),
            Keyword::Copy | Keyword::Add => sources
                .iter()
                .any(|source| self.changes(cx, &source.text, &to.text)),
            _ => false,
        }
    }

    fn changes(&self, cx: &PassContext<'_>, source: &str, to: &str) -> bool {
        if source.contains("://") || source.starts_with("<<") {
            return false;
        }
        let cleaned = path::clean_in_root(source);
        if cleaned.is_empty() || source.ends_with('/') || cleaned.ends_with('*') {
            return true;
        }
        let name = path::file_name(&cleaned);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        if ending.is_some_and(|ending| self.source.iter().any(|one| one == ending)) {
            return true;
        }
        match cx.context.is_known() {
            true => cx.context.entry(&cleaned) == Some(Entry::Directory),
            // `COPY src /app/src` copies a directory, and `COPY Gemfile /app/Gemfile` a file.
            false => {
                let is_lower = !name.contains(|ch: char| ch.is_ascii_uppercase());
                is_lower && ending.is_none() && path::file_name(&path::clean(to)) == name
            }
        }
    }

    /// Whether what a COPY, ADD or WORKDIR makes is nothing that the install reads or writes; if not, why.
    pub(super) fn is_aside(
        &self,
        cx: &PassContext<'_>,
        install: &Step<'_>,
        system: &System,
        passed: &Step<'_>,
    ) -> Result<(), String> {
        let keyword = passed.instruction.keyword;
        let Some(into) = place(cx, passed) else {
            return Err(format!("the directory of {keyword} is not known"));
        };
        let shares = |directory: &str| is_in(&into, directory) || is_in(directory, &into);
        if self.is_system(&into) {
            return Err(format!(
                "{keyword} goes to `{into}`, where packages may read or write"
            ));
        }
        if let Some(deleted) = system.deleted.iter().find(|one| shares(one)) {
            return Err(format!("the step deletes `{deleted}`"));
        }
        let writes = |package: &&String| {
            let mut shared = self.shared.iter().filter(|one| shares(&one.directory));
            shared.any(|one| {
                let mut patterns = one.packages.iter();
                patterns.any(|pattern| matches_name(pattern, package))
            })
        };
        if let Some(package) = system.packages.iter().find(writes) {
            return Err(format!("`{package}` may write to `{into}`"));
        }
        let is_searched = |name: &&String| {
            let value = install.before.variable(name);
            let value = value.and_then(|variable| variable.value.as_deref());
            value.is_some_and(|value| value.split([':', ' ']).any(|one| one != "/" && shares(one)))
        };
        match self.paths.iter().find(is_searched) {
            Some(name) => Err(format!("`{name}` names a directory in `{into}`")),
            None => Ok(()),
        }
    }

    /// Whether a directory is one in which package managers read or write by themselves, or holds one.
    fn is_system(&self, directory: &str) -> bool {
        let is_free = self.free.iter().any(|free| is_in(directory, free));
        let is_home = directory.starts_with("/home/") || directory.starts_with("/root/");
        let hidden = is_home && directory.split('/').any(|name| name.starts_with('.'));
        let is_listed = self.system.iter().any(|one| is_in(directory, one));
        directory == "/" || hidden || is_listed && !is_free
    }
}

/// The absolute path that a COPY or ADD copies to, or that a WORKDIR makes.
pub(super) fn place(cx: &PassContext<'_>, step: &Step<'_>) -> Option<String> {
    let word = step.instruction.words().last()?;
    let path = step.before.expand(&word.text, cx.file.escape.byte()).ok()?;
    step.before.absolute(&path)
}

/// Whether a step does the same behind a WORKDIR that stands behind it: a COPY goes to the same place, and does not make
/// the directory with another owner or mode.
pub(super) fn keeps_place(cx: &PassContext<'_>, step: &Step<'_>, workdir: &Step<'_>) -> bool {
    let instruction = step.instruction;
    let Some((to, sources)) = instruction.words().split_last() else {
        return true;
    };
    if !matches!(instruction.keyword, Keyword::Copy | Keyword::Add) {
        return true;
    }
    let (Some(into), Some(made)) = (place(cx, step), place(cx, workdir)) else {
        return false;
    };
    let expanded = step.before.expand(&to.text, cx.file.escape.byte());
    let is_absolute = expanded.is_ok_and(|path| path.starts_with('/'));
    let is_plain = ["chown", "chmod"]
        .iter()
        .all(|flag| instruction.flag(flag).is_none())
        && workdir.before.is_root() == Some(true);
    let is_whole = sources
        .iter()
        .all(|source| path::clean_in_root(&source.text).is_empty());
    let makes_it = is_in(&made, &into);
    let is_apart = !makes_it && !is_in(&into, &made);
    is_absolute && (is_apart || is_plain && (is_whole || !makes_it))
}

/// Whether `path` is `directory` or lies in it. A trailing star of either is not looked at.
fn is_in(path: &str, directory: &str) -> bool {
    let plain = |path: &str| path.trim_end_matches(['*', '/']).to_owned();
    self::path::below(&plain(path), &plain(directory)).is_some()
}
