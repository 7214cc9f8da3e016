//! What goes into the key of a single step: the files that it takes, and the values that it sees.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::expand::{expand, expand_body};
use super::super::mount::{Kind, Mount};
use super::super::state::{Origin, State};
use super::super::{Model, Step};
use super::Cause;
use crate::syntax::{Instruction, Keyword};

/// What a step takes from the build context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Paths and patterns, as the builder has them; for ADD, URLs too.
    pub sources: Vec<String>,
    /// Whether that is exactly what it takes: no variable is unknown, and no flag leaves files out.
    pub exact: bool,
}

impl Taken {
    /// Whether it certainly takes nothing.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.exact
    }
}

impl Model<'_> {
    /// What a step takes from the build context: the sources of COPY and ADD, the bind mounts of RUN.
    pub fn taken(&self, step: &Step<'_>) -> Taken {
        let instruction = step.instruction;
        let values = match instruction.keyword {
            Keyword::Copy | Keyword::Add if instruction.flag("from").is_none() => {
                let words = local_sources(instruction);
                words.map(|word| self.value(word, step)).collect()
            }
            Keyword::Run => self.mounted(step),
            _ => Vec::new(),
        };
        let narrows = ["exclude", "parents"];
        let flags = &instruction.flags;
        let narrowed = flags
            .iter()
            .any(|flag| narrows.contains(&flag.name.as_str()));
        Taken {
            exact: values.iter().all(Option::is_some) && !narrowed,
            sources: values.into_iter().flatten().collect(),
        }
    }

    /// The variables of the file that go into the key of a step, by name: those that its words name, and for a RUN all
    /// that ARG sets.
    pub fn keyed_by(&self, step: &Step<'_>) -> Vec<String> {
        let named = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            named.borrow_mut().insert(name.to_owned());
            step.before.lookup(name)
        };
        // Only the names that are looked up matter.
        for word in words_of(step.instruction) {
            let _ = expand(word, self.scope.escape, &lookup);
        }
        for body in bodies_of(step.instruction, self.text) {
            let _ = expand_body(&body, &lookup);
        }
        let is_run = step.instruction.keyword == Keyword::Run;
        let keys = step.before.variables().filter(|(name, variable)| {
            let is_named = named.borrow().contains(*name) && variable.origin != Origin::Base;
            is_named || (is_run && variable.origin == Origin::Arg)
        });
        keys.map(|(name, _)| name.to_owned()).collect()
    }

    /// The sources of the bind mounts of the build context; all of it where a mount names none.
    fn mounted(&self, step: &Step<'_>) -> Vec<Option<String>> {
        let flags = step.instruction.flags.iter();
        let mounts = flags.filter(|flag| flag.name == "mount");
        let values = mounts.filter_map(|flag| flag.value.as_deref());
        let escape = self.scope.escape;
        let mounted = values.filter_map(|value| {
            match Mount::parse(value, &|word| step.before.expand(word, escape)) {
                Ok(mount) if mount.kind == Kind::Bind && mount.from.is_none() => {
                    Some(Some(mount.source.unwrap_or_else(|| "/".to_owned())))
                }
                Ok(_) => None,
                Err(_) => Some(None),
            }
        });
        mounted.collect()
    }
}

/// The sources of a COPY or ADD without here-documents, which bring their own text.
fn local_sources(instruction: &Instruction) -> impl Iterator<Item = &str> {
    let words = instruction.words().split_last();
    let sources = words.map(|(_, sources)| sources).unwrap_or_default();
    let is_heredoc = |text: &str| {
        let text = text.trim_start_matches(|ch: char| ch.is_ascii_digit());
        !instruction.heredocs.is_empty() && text.starts_with("<<")
    };
    let texts = sources.iter().map(|word| word.text.as_str());
    texts.filter(move |text| !is_heredoc(text))
}

/// What is another value for a step than it was for the same step in the last build.
pub(super) fn differs(model: &Model<'_>, step: &Step<'_>, last: &Step<'_>) -> Option<Cause> {
    let variable = different_variable(&step.before, &last.before);
    if step.instruction.keyword == Keyword::Run {
        return match variable {
            Some(name) => Some(Cause::Variable(name)),
            None => is_other_state(&step.before, &last.before).then_some(Cause::State),
        };
    }
    let same = words(step, model) == words(last, model);
    if same && step.before.workdir() == last.before.workdir() {
        return None;
    }
    Some(variable.map_or(Cause::State, Cause::Variable))
}

/// What the builder expands of an instruction, as it has it.
fn words(step: &Step<'_>, model: &Model<'_>) -> Vec<Option<String>> {
    let words = words_of(step.instruction);
    let words = words.map(|word| model.value(word, step));
    let bodies = bodies_of(step.instruction, model.text);
    let lookup = |name: &str| step.before.lookup(name);
    let bodies = bodies.map(|body| expand_body(&body, &lookup).ok());
    words.chain(bodies).collect()
}

/// The words and flags of an instruction; of a RUN, the flags.
fn words_of(instruction: &Instruction) -> impl Iterator<Item = &str> {
    let is_run = instruction.keyword == Keyword::Run;
    let words = instruction.words().iter().filter(move |_| !is_run);
    let words = words.map(|word| word.text.as_str());
    let flags = instruction.flags.iter();
    words.chain(flags.filter_map(|flag| flag.value.as_deref()))
}

/// The here-documents that the builder expands.
fn bodies_of(instruction: &Instruction, text: &[u8]) -> impl Iterator<Item = String> {
    let is_run = instruction.keyword == Keyword::Run;
    let bodies = instruction.heredocs.iter();
    let bodies = bodies.filter(move |one| one.expand && !is_run);
    bodies.map(|one| String::from_utf8_lossy(one.body.of(text)).into_owned())
}

/// The first variable, by name, that has another value or is set in one of them only.
fn different_variable(state: &State, last: &State) -> Option<String> {
    let name = |state: &State, other: &State| {
        let mut different = state.variables().filter(|(name, variable)| {
            other.variable(name).map(|other| &other.value) != Some(&variable.value)
        });
        different.next().map(|(name, _)| name.to_owned())
    };
    name(state, last).or_else(|| name(last, state))
}

fn is_other_state(state: &State, last: &State) -> bool {
    state.user() != last.user()
        || state.workdir() != last.workdir()
        || state.shell() != last.shell()
}
