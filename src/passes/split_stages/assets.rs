//! Which files of the build context the runtime stage takes over: all that the builder gets and that is neither a source
//! of the language nor there for people, each at the path where it lands.

use std::collections::BTreeMap;

use super::SplitStages;
use super::parts::{self, Parts};
use crate::context::copy::{Copy, ImagePath, Landing, is_remote};
use crate::context::{glob, path};
use crate::pass::PassContext;
use crate::pass::program::Program;
use crate::pass::reasons::Reasons;
use crate::pass::runs::shown_span;
use crate::rule::Rule;
use crate::syntax::Keyword;

/// The most paths that are taken over.
const MOST: usize = 12;

/// As many files are looked at of one step.
const MOST_FILES: usize = 20_000;

/// What a file is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is compiled.
    Source,
    /// People and tools read it.
    Aside,
    /// It is a part of the program already.
    Held,
    /// The program may read it.
    Asset,
}

/// What is known of the files of a language.
pub(super) struct Sorting<'s> {
    pub(super) rule: &'s SplitStages,
    /// What the user set.
    pub(super) options: &'s Rule,
    /// Patterns of the names of sources.
    pub(super) sources: &'s [String],
    /// Files that the program holds, by path in the context: a directory, and a pattern in it.
    pub(super) embedded: &'s [(String, String)],
}

/// What a program may read, beside what it is made of.
#[derive(Default)]
pub(super) struct Assets {
    /// Absolute paths.
    pub(super) carried: Vec<String>,
    /// Why these, and why not the others.
    pub(super) reasons: Reasons,
}

impl Assets {
    /// Leaves out paths that are taken over anyway.
    pub(super) fn leave(&mut self, is_taken: impl Fn(&str) -> bool) {
        self.carried.retain(|path| !is_taken(path));
        self.reasons.retain(|path| !is_taken(path));
    }
}

/// A directory of the image, or a file.
#[derive(Default)]
struct Node {
    children: BTreeMap<String, Node>,
    file: Option<Kind>,
}

/// What the COPYs and ADDs up to step `last` bring, by path in the image.
pub(super) struct Landed {
    root: Node,
    /// Where they put it.
    places: Vec<String>,
}

impl Landed {
    /// What is brought.
    ///
    /// # Errors
    /// Why that is not known.
    pub(super) fn of(
        cx: &PassContext<'_>,
        last: usize,
        sorting: &Sorting<'_>,
    ) -> Result<Self, String> {
        let ignore = cx
            .site
            .ignore(cx.context)
            .map_err(|error| error.to_string())?
            .ignore;
        let mut landed = Self {
            root: Node::default(),
            places: Vec::new(),
        };
        let steps = cx.stages[0].model.steps.iter().take(last);
        for step in
            steps.filter(|step| matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add))
        {
            let instruction = step.instruction;
            let shown = cx.shown(shown_span(instruction));
            let unknown = || format!("what `{shown}` brings is not known");
            let taken = cx.model.taken(step);
            let is_local = !taken.sources.iter().any(|source| is_remote(source));
            let to = instruction.words().last().ok_or_else(unknown)?;
            let to = step
                .before
                .expand(&to.text, cx.file.escape.byte())
                .map_err(|_| unknown())?;
            if !taken.exact
                || !is_local
                || !step.sources.is_empty()
                || instruction.flag("from").is_some()
            {
                return Err(unknown());
            }
            let copy = Copy::new(
                &taken.sources,
                &to,
                step.before.workdir(),
                cx.context,
                &ignore,
            );
            if let Some(ImagePath::Absolute(place)) = copy.destination().place() {
                landed.places.push(path::clean(place));
            }
            for (count, (file, landing)) in copy.files().enumerate() {
                let place = match landing {
                    Landing::At(ImagePath::Absolute(place)) => place,
                    Landing::FileOrInside {
                        file: ImagePath::Absolute(place),
                        ..
                    } => place,
                    _ => return Err(unknown()),
                };
                if count > MOST_FILES {
                    return Err("the build context holds too much to be looked through".to_owned());
                }
                landed.root.add(&place, sorting.kind(&file));
            }
        }
        Ok(landed)
    }

    /// What is taken over for a program that is started in `workdir` with these arguments: as few paths as say it.
    ///
    /// # Errors
    /// It is too much to be listed.
    pub(super) fn carried(
        &self,
        workdir: Option<&str>,
        arguments: &[String],
    ) -> Result<Assets, String> {
        let mut carried = Vec::new();
        self.collect(&self.root, "", &mut carried);
        let mut reasons = Reasons::default();
        for path in &carried {
            reasons.say(path, "carried over: may be read when the program runs");
        }
        let named = arguments.iter().filter_map(|word| {
            let value = word.rsplit('=').next().unwrap_or(word);
            path::against(workdir, value)
        });
        for file in named {
            let is_carried = carried.iter().any(|one| path::is_at_or_below(&file, one));
            if !is_carried && self.root.is_file(&file) {
                reasons.say(&file, "carried over: named where the program is started");
                carried.push(file);
            }
        }
        match carried.len() > MOST {
            true => Err(format!(
                "{} files and directories beside the sources may be read when the program runs, such as `{}`",
                carried.len(),
                carried[0]
            )),
            false => {
                self.tell_left(&self.root, "", &carried, &mut reasons);
                Ok(Assets { carried, reasons })
            }
        }
    }

    /// Why the other files stay behind: as few paths as say it.
    fn tell_left(&self, node: &Node, at: &str, carried: &[String], reasons: &mut Reasons) {
        if carried.iter().any(|one| one == at) {
            return;
        }
        let mut places = self.places.iter();
        let is_brought = places.any(|place| place != at && path::is_at_or_below(at, place));
        let why = node.left().filter(|_| is_brought || node.file.is_some());
        if let Some(why) = why {
            return reasons.say(at, format!("left behind: {why}"));
        }
        for (name, child) in &node.children {
            self.tell_left(child, &format!("{at}/{name}"), carried, reasons);
        }
    }

    fn collect(&self, node: &Node, at: &str, carried: &mut Vec<String>) {
        if node.file == Some(Kind::Asset) {
            carried.push(at.to_owned());
            return;
        }
        let is_brought = self
            .places
            .iter()
            .any(|place| path::is_at_or_below(at, place));
        let is_whole =
            is_brought && at.len() > 1 && node.has(Kind::Asset) && !node.has(Kind::Source);
        if is_whole && node.file.is_none() {
            carried.push(at.to_owned());
            return;
        }
        for (name, child) in &node.children {
            self.collect(child, &format!("{at}/{name}"), carried);
        }
    }
}

impl Kind {
    /// Why it stays behind.
    fn left(self) -> Option<&'static str> {
        match self {
            Self::Source => Some("sources"),
            Self::Aside => Some("for people, tests and tools"),
            Self::Held => Some("in what the build makes already"),
            Self::Asset => None,
        }
    }
}

impl Node {
    fn add(&mut self, place: &str, kind: Kind) {
        let parts = place.split('/').filter(|part| !part.is_empty());
        let node = parts.fold(self, |node, part| {
            node.children.entry(part.to_owned()).or_default()
        });
        node.file = Some(kind);
    }

    fn has(&self, kind: Kind) -> bool {
        self.file == Some(kind) || self.children.values().any(|child| child.has(kind))
    }

    /// Why a file, or all that a directory holds, stays behind.
    fn left(&self) -> Option<&'static str> {
        if let Some(kind) = self.file {
            return kind.left();
        }
        let mut children = self.children.values().map(Self::left);
        let first = children.next()??;
        children.all(|one| one == Some(first)).then_some(first)
    }

    fn is_file(&self, place: &str) -> bool {
        let mut parts = place.split('/').filter(|part| !part.is_empty());
        let node = parts.try_fold(self, |node, part| node.children.get(part));
        node.is_some_and(|node| node.file.is_some())
    }
}

impl Sorting<'_> {
    /// What the program may read, beside what it is made of.
    ///
    /// # Errors
    /// Why that is not known, or cannot be taken over.
    pub(super) fn assets(
        &self,
        cx: &PassContext<'_>,
        parts: &Parts,
        program: &Program,
    ) -> Result<Assets, String> {
        let landed = Landed::of(cx, parts.last, self)?;
        let workdir = cx.stages[0].model.end.workdir();
        let assets = landed.carried(workdir, &program.arguments)?;
        parts::keeps(cx, parts.last, &assets.carried)?;
        Ok(assets)
    }

    fn kind(&self, file: &str) -> Kind {
        let is_kept = |pattern: &str| {
            let mut parts = path::prefixes(file);
            parts.any(|part| glob::matches(pattern, part) == Ok(true))
        };
        if self.options.texts("keep-files").any(is_kept) {
            return Kind::Asset;
        }
        let matches = |patterns: &[String], name: &str| {
            patterns
                .iter()
                .any(|pattern| glob::matches(pattern, name) == Ok(true))
        };
        let name = path::file_name(file);
        let mut directories = path::parent(file)
            .split('/')
            .filter(|part| !part.is_empty());
        if matches(self.sources, name) {
            return Kind::Source;
        }
        let is_aside = matches(&self.rule.aside, name)
            || directories.any(|directory| matches(&self.rule.aside_directories, directory));
        let mut embedded = self.embedded.iter();
        if embedded.any(|(directory, pattern)| is_embedded(file, directory, pattern)) {
            return Kind::Held;
        }
        if is_aside { Kind::Aside } else { Kind::Asset }
    }
}

/// Whether `//go:embed PATTERN` in `directory` holds the file.
fn is_embedded(file: &str, directory: &str, pattern: &str) -> bool {
    let pattern = pattern.strip_prefix("all:").unwrap_or(pattern);
    let pattern = path::join(directory, pattern);
    path::prefixes(file).any(|part| glob::matches(&pattern, part) == Ok(true))
}
