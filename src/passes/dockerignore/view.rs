//! What a Dockerfile takes from the build context, what it names, and what it makes itself.

use crate::context::copy::{Copy, Landing, is_remote};
use crate::context::ignore::Ignore;
use crate::context::{Entry, glob, path};
use crate::model::managers::{Kind as Ecosystem, Role, invocation};
use crate::pass::PassContext;
use crate::pass::command;
use crate::pass::project_place::Place;
use crate::pass::runs::{Step, shown_span};
use crate::syntax::{Instruction, Item, Keyword};
use crate::text::Span;

/// One Dockerfile of the context.
pub(super) struct View<'a> {
    pub(super) cx: &'a PassContext<'a>,
    /// How messages call it; `None` for the one that the pass is about.
    pub(super) shown: Option<&'a str>,
    takes: Vec<Take<'a>>,
}

/// What one step takes from the context.
pub(super) struct Take<'a> {
    pub(super) instruction: &'a Instruction,
    stage: usize,
    used: bool,
    exact: bool,
    sources: Vec<String>,
    copy: Copy<'a>,
    /// Whether it puts something into the image: a mount does not.
    lands: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(cx: &'a PassContext<'a>, shown: Option<&'a str>, ignore: &'a Ignore) -> Self {
        let mut takes = Vec::new();
        for stage in &cx.model.stages {
            for step in stage.triggers.iter().chain(&stage.steps) {
                let taken = cx.model.taken(step);
                if taken.is_empty() {
                    continue;
                }
                let instruction = step.instruction;
                let lands = instruction.keyword != Keyword::Run;
                let last = instruction.words().last().filter(|_| lands);
                let to = last.and_then(|word| step.before.expand(&word.text, b'\\').ok());
                let workdir = step.before.workdir();
                let to = to.as_deref();
                // A destination that is not known is one below a working directory that is not known.
                let (to, workdir) = to.map_or((".", None), |to| (to, workdir));
                takes.push(Take {
                    instruction,
                    stage: stage.index,
                    used: stage.used,
                    exact: taken.exact,
                    copy: Copy::new(&taken.sources, to, workdir, cx.context, ignore),
                    sources: taken.sources,
                    lands,
                });
            }
        }
        Self { cx, shown, takes }
    }

    /// A step that takes something of which it is not known what it is.
    pub(super) fn unknown(&self) -> Option<&Take<'a>> {
        self.takes.iter().find(|take| !take.exact)
    }

    /// The directories that used stages take as a whole, none of them in another, each with the step.
    pub(super) fn directories(&self) -> Vec<(String, &Take<'a>)> {
        let mut found: Vec<(String, &Take<'a>)> = Vec::new();
        for take in self.takes.iter().filter(|take| take.used) {
            let local = take.sources.iter().filter(|source| !is_remote(source));
            for source in local {
                let source = path::clean_in_root(source);
                let whole = match source.strip_suffix('*') {
                    Some(inner) => inner.strip_suffix('/').or((inner.is_empty()).then_some("")),
                    None => Some(source.as_str()),
                };
                let Some(whole) = whole.filter(|whole| !glob::has_wildcard(whole)) else {
                    continue;
                };
                let is_new = !found
                    .iter()
                    .any(|(outer, _)| path::below(whole, outer).is_some());
                if is_new && self.cx.context.entry(whole) == Some(Entry::Directory) {
                    found.retain(|(inner, _)| path::below(inner, whole).is_none());
                    found.push((whole.to_owned(), take));
                }
            }
        }
        found
    }

    /// The first step that takes a directory as a whole; where the context is not known, all of it.
    pub(super) fn whole(&self) -> Option<Span> {
        let is_all = |source: &String| path::clean_in_root(source).is_empty();
        let known = self.cx.context.is_known();
        let mut takes = self.takes.iter().filter(|_| !known);
        let all = takes.find(|take| take.used && take.sources.iter().any(is_all));
        let first = all.or_else(|| Some(self.directories().into_iter().next()?.1))?;
        Some(shown_span(first.instruction))
    }

    /// Whether a step takes `path`, or a part of it, by name.
    pub(super) fn names_source(&self, path: &str) -> bool {
        let sources = self.takes.iter().flat_map(|take| &take.sources);
        let mut local = sources.filter(|source| !is_remote(source));
        local.any(|source| {
            let source = path::clean_in_root(source);
            let is_all = path::file_name(&source) == "*";
            let matched = !is_all && glob::matches(&source, path) == Ok(true);
            matched || path::below(&source, path).is_some()
        })
    }

    /// Whether a source has a component of that name, whatever stands there.
    pub(super) fn has_component(&self, name: &str) -> bool {
        let sources = self.takes.iter().flat_map(|take| &take.sources);
        let mut parts = sources.flat_map(|source| source.split('/'));
        parts.any(|part| part != "*" && glob::matches(part, name) == Ok(true))
    }

    /// Whether an instruction other than FROM, or a here-document of one, names a file as `path` is called.
    pub(super) fn mentions(&self, path: &str) -> bool {
        let items = self.cx.file.items.iter();
        let mut texts = items.filter_map(|item| match item {
            Item::Instruction(one) if one.keyword != Keyword::From => Some(one),
            _ => None,
        });
        texts.any(|one| names(&String::from_utf8_lossy(one.span.of(self.cx.text)), path))
    }

    /// The steps of used stages that bring `path` into the image, and where to, where that is certain.
    fn landings(&self, path: &str) -> Vec<(&Take<'a>, Option<String>)> {
        let mut landings = Vec::new();
        for take in self.takes.iter().filter(|take| take.used) {
            match take.copy.brings(path) {
                Some(found) => {
                    landings.extend(found.into_iter().map(|one| {
                        let at = match one {
                            Landing::At(place) if take.lands => Some(place.to_string()),
                            _ => None,
                        };
                        (take, at.filter(|at| at.starts_with('/')))
                    }));
                }
                None => landings.push((take, None)),
            }
        }
        landings
    }

    /// Whether a used stage takes `path`, by whatever source.
    pub(super) fn takes(&self, path: &str) -> bool {
        !self.landings(path).is_empty()
    }

    /// Whether every stage that brings `path` makes it itself, in the same place, by one of `commands`.
    pub(super) fn makes(&self, path: &str, commands: &Makers<'_>) -> bool {
        self.landings(path).iter().all(|(take, landing)| {
            let Some(landing) = landing else {
                return false;
            };
            let place = Made { landing, path };
            self.family(take.stage).any(|(stage, step)| {
                let at = Place {
                    cx: self.cx,
                    stage,
                    step,
                };
                place.copied(at.step()) || place.run(&at, commands)
            })
        })
    }

    /// The steps of a stage, of those it is built on, and of those that are built on it.
    fn family(&self, stage: usize) -> impl Iterator<Item = (usize, usize)> {
        let bases =
            |stage: usize| std::iter::successors(Some(stage), |stage| self.cx.stages[*stage].base);
        let below: Vec<usize> = bases(stage).collect();
        let all = 0..self.cx.stages.len();
        let family =
            all.filter(move |one| below.contains(one) || bases(*one).any(|one| one == stage));
        family
            .flat_map(|stage| (0..self.cx.stages[stage].steps.len()).map(move |step| (stage, step)))
    }

    /// The steps of the families of all stages that take `path`.
    pub(super) fn steps_with(&self, path: &str) -> Vec<Place<'a>> {
        let mut steps: Vec<(usize, usize)> = Vec::new();
        for (take, _) in self.landings(path) {
            steps.extend(self.family(take.stage));
        }
        steps.sort_unstable();
        steps.dedup();
        let places = steps.into_iter().map(|(stage, step)| Place {
            cx: self.cx,
            stage,
            step,
        });
        places.collect()
    }
}

/// What makes a directory.
pub(super) struct Makers<'d> {
    /// The first words of commands.
    pub(super) commands: &'d [Vec<String>],
    /// Whether an install of a Node project does.
    pub(super) node_install: bool,
}

/// A path of the context that is brought to a place of the image.
struct Made<'p> {
    landing: &'p str,
    path: &'p str,
}

impl Made<'_> {
    /// Whether a step copies it from elsewhere.
    fn copied(&self, step: &Step<'_>) -> bool {
        let instruction = step.instruction;
        let is_from = instruction.keyword == Keyword::Copy && instruction.flag("from").is_some();
        let last = instruction.words().last().filter(|_| is_from);
        let to = last.and_then(|word| step.before.expand(&word.text, b'\\').ok());
        let to = to.and_then(|to| step.before.absolute(&to));
        to.is_some_and(|to| to.trim_end_matches('/') == self.landing)
    }

    /// Whether a step runs what makes it.
    fn run(&self, place: &Place<'_>, makers: &Makers<'_>) -> bool {
        let Some(script) = place.step().script() else {
            return false;
        };
        let parent = path::parent(self.landing);
        script.commands().iter().any(|found| {
            let mut listed = makers.commands.iter();
            if listed.any(|leading| command::leading_words(found.command, leading).is_some()) {
                let directory = match invocation(&found.command.words) {
                    Some(invocation) => place.directory(script, found, &invocation),
                    None => place.started_in(script, found),
                };
                return directory.as_deref() == Some(parent);
            }
            let install = invocation(&found.command.words).filter(|_| makers.node_install);
            let Some(install) = install.filter(|one| {
                one.manager.kind == Ecosystem::Node
                    && one.role == Role::Install
                    && !one.names_packages()
                    && !one.may_be_global()
            }) else {
                return false;
            };
            let directory = place.directory(script, found, &install);
            directory
                .is_some_and(|directory| directory == parent || self.is_member(place, &directory))
        })
    }

    /// Whether the install in `directory` is one of a workspace that holds the place, and whose member is there by then.
    fn is_member(&self, place: &Place<'_>, directory: &str) -> bool {
        let context = place.cx.context;
        let manifest = path::join(path::parent(self.landing), "package.json");
        if !place.origin(&manifest).is_ok_and(|file| file.is_some()) {
            return false;
        }
        let Some(inside) = path::below(self.landing, directory) else {
            return false;
        };
        let Some(root) = self.path.strip_suffix(inside) else {
            return false;
        };
        let root = root.trim_end_matches('/');
        let pnpm = path::join(root, "pnpm-workspace.yaml");
        let package = context.read(&path::join(root, "package.json"), 1 << 20);
        let text = package.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        context.entry(&pnpm).is_some() || text.is_ok_and(|text| text.contains("\"workspaces\""))
    }
}

/// Whether a text names a file that is called as `path` is: as a word, or as the last part of one or more.
pub(super) fn names(text: &str, path: &str) -> bool {
    let name = path::file_name(path);
    let is_end = |ch: char| ch.is_whitespace() || "'\"`;=:,()[]{}<>|&$\\".contains(ch);
    let mut words = text.split(is_end);
    words.any(|word| word.split('/').any(|part| part == name))
}
