//! What a COPY or ADD brings out of the build context: which file stands where in the image behind it.

use super::between::{is_in_system, is_of_the_system, is_shared_with_system};
use crate::context::copy::{Copy, ImagePath, Landing, is_remote};
use crate::context::ignore::Ignore;
use crate::context::{Entry, path};
use crate::pass::PassContext;
use crate::pass::runs::{Stage, Step};
use crate::syntax::{Instruction, Keyword};

/// A COPY or ADD that takes files of the build context, all of which are known.
pub(super) struct Brought<'a> {
    /// Its number in the stage.
    pub(super) step: usize,
    /// The instruction.
    pub(super) instruction: &'a Instruction,
    /// Where it copies to: absolute and clean.
    pub(super) to: String,
    /// The destination as it is written.
    pub(super) written: &'a str,
    /// Sources that are directories, paths in the context.
    pub(super) directories: Vec<String>,
    /// All sources that are no directories, paths and patterns in the context.
    pub(super) named: Vec<String>,
    copy: Copy<'a>,
}

/// As many files are looked at of one step.
const MOST_FILES: usize = 20_000;

impl<'a> Brought<'a> {
    /// What step `step` brings; `None` where it brings nothing of the context, or not only that, or that is not known.
    pub(super) fn of(
        cx: &'a PassContext<'a>,
        stage: &'a Stage<'a>,
        step: usize,
        ignore: &'a Ignore,
    ) -> Option<Self> {
        let Step {
            instruction,
            before,
            ..
        } = &stage.steps[step];
        let is_copy = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
        let flags = ["chown", "chmod", "link"];
        let plain = instruction.heredocs.is_empty()
            && instruction
                .flags
                .iter()
                .all(|flag| flags.contains(&flag.name.as_str()));
        let taken = cx.model.taken(&stage.model.steps[step]);
        let local = taken.exact && !taken.sources.iter().any(|source| is_remote(source));
        if !is_copy || !plain || !local || taken.sources.is_empty() {
            return None;
        }
        let written = instruction.words().last()?.text.as_str();
        let expanded = before.expand(written, cx.file.escape.byte()).ok()?;
        let copy = Copy::new(
            &taken.sources,
            &expanded,
            before.workdir(),
            cx.context,
            ignore,
        );
        let to = copy.destination().place()?.to_string();
        let sources = taken
            .sources
            .iter()
            .map(|source| path::clean_in_root(source));
        let is_directory = |source: &String| cx.context.entry(source) == Some(Entry::Directory);
        let (directories, named) = sources.partition(is_directory);
        to.starts_with('/').then_some(Self {
            step,
            instruction,
            to,
            written,
            directories,
            named,
            copy,
        })
    }

    /// Whether its destination may be written as it is, and nothing else of it depends on where it stands.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |ch: char| ch.is_alphanumeric() || "/._-@+".contains(ch);
        let mut words = self.instruction.words().iter().rev().skip(1);
        let mut flags = self
            .instruction
            .flags
            .iter()
            .filter_map(|flag| flag.value.as_deref());
        !self.instruction.is_exec()
            && self.to.chars().all(plain)
            && !words.any(|word| word.text.contains('$'))
            && !flags.any(|value| value.contains('$'))
    }

    /// Whether it puts the file or directory `from` of the context at `target`.
    pub(super) fn puts(&self, from: &str, target: &str) -> bool {
        let at = |landing: &Landing| {
            place_of(landing).is_some_and(|place| place.trim_end_matches('/') == target)
        };
        self.copy.brings(from).is_some_and(|all| all.iter().any(at))
    }

    /// The directories of the context whose contents it may put into `directory` of the image.
    pub(super) fn roots(&self, directory: &str) -> Vec<String> {
        let mut roots = Vec::new();
        if let Some(rest) = path::below(directory, self.to.trim_end_matches('/')) {
            let rest = rest.trim_start_matches('/');
            roots.extend(
                self.directories
                    .iter()
                    .map(|source| path::join(source, rest)),
            );
        }
        let renamed = |file: &String| path::file_name(file) == path::file_name(&self.to);
        let into = match self.named.as_slice() {
            [file] if self.directories.is_empty() && renamed(file) => path::parent(&self.to),
            _ => self.to.as_str(),
        };
        let below = path::below(into, directory).map(|rest| rest.trim_start_matches('/'));
        for file in self.named.iter().filter(|_| below.is_some()) {
            let root = without(path::parent(file), below.unwrap_or_default());
            roots.extend(root.map(str::to_owned));
        }
        roots
    }

    /// Whether it brings a file that is none of `paths`, nor below one of them.
    pub(super) fn brings_more_than(&self, paths: &[String]) -> bool {
        let mut files = self.copy.files().take(MOST_FILES);
        files.any(|(file, _)| !paths.iter().any(|path| path::below(&file, path).is_some()))
    }

    /// Whether package managers may read what it brings without being told.
    pub(super) fn is_of_the_system(&self) -> bool {
        // Where a project lies that is the whole context, the context says what else comes.
        let is_whole = matches!(self.directories.as_slice(), [root] if root.is_empty());
        if !is_whole || !self.named.is_empty() || !is_shared_with_system(&self.to) {
            return is_of_the_system(&self.to);
        }
        let mut files = self.copy.files().take(MOST_FILES).enumerate();
        files.any(|(count, (_, landing))| {
            let place = place_of(&landing);
            count + 1 == MOST_FILES || place.is_none_or(|place| is_in_system(&place))
        })
    }

    /// All that it names is there.
    ///
    /// # Errors
    /// What is not.
    pub(super) fn check(&self) -> Result<(), String> {
        self.copy.check().map_err(|error| error.to_string())
    }

    /// Whether it brings nothing at all: its sources are not there, or ignored.
    pub(super) fn is_empty(&self) -> bool {
        self.copy.files().next().is_none()
    }

    /// Whether both give the same owner and mode.
    pub(super) fn has_flags_of(&self, other: &Brought<'_>) -> bool {
        let flags = |one: &Brought<'_>| {
            let flags = one.instruction.flags.iter();
            let mut flags: Vec<_> = flags
                .map(|flag| (flag.name.clone(), flag.value.clone()))
                .collect();
            flags.sort();
            flags
        };
        flags(self) == flags(other)
    }

    /// Whether `other` brings the same file, with the same owner and mode, where it may bring any to the same place.
    pub(super) fn agrees_with(&self, other: &Brought<'_>) -> bool {
        let mut files = self.copy.files().take(MOST_FILES);
        files.all(|(file, landing)| {
            let Some(place) = place_of(&landing) else {
                return false;
            };
            let to = other.to.trim_end_matches('/');
            let apart = path::below(&place, to).is_none() && !other.reaches(&place);
            apart || self.has_flags_of(other) && other.puts(&file, &place)
        })
    }

    /// Whether it brings anything that lands at `target` or below it.
    pub(super) fn reaches(&self, target: &str) -> bool {
        let is_there = |place: &ImagePath| path::below(&place.to_string(), target).is_some();
        let mut files = self.copy.files().take(MOST_FILES);
        files.any(|(_, landing)| match &landing {
            Landing::At(place) => is_there(place),
            Landing::FileOrInside { file, inside } => is_there(file) || is_there(inside),
            Landing::Unknown => true,
        })
    }
}

/// `directory` without `below` at its end.
fn without<'p>(directory: &'p str, below: &str) -> Option<&'p str> {
    match directory.strip_suffix(below)? {
        "" => Some(""),
        rest if below.is_empty() => Some(rest),
        rest => rest.strip_suffix('/'),
    }
}

/// Where something lands: a file whose destination ends with its own name is no file in a directory of that name.
fn place_of(landing: &Landing) -> Option<String> {
    match landing {
        Landing::At(place) => Some(place.to_string()),
        Landing::FileOrInside { file, inside } => {
            let (file, inside) = (file.to_string(), inside.to_string());
            (path::file_name(&file) == path::file_name(&inside)).then_some(file)
        }
        Landing::Unknown => None,
    }
}
