//! The global scope: ARGs before the first FROM, build arguments, predefined arguments.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::ModelInput;
use super::expand::{Lookup, expand};
use crate::syntax::{Escape, Instruction};

/// Set in the global scope of every build, by the platforms and the target (BuildKit's `defaultArgs`).
const PREDEFINED: [&str; 11] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

/// What expansions of one file look at.
#[derive(Debug)]
pub(super) struct Scope<'f> {
    pub(super) escape: u8,
    pub(super) input: &'f ModelInput,
    /// The ARGs before the first FROM; `None`: set to what is not known, or perhaps not set.
    globals: BTreeMap<String, Option<String>>,
    /// Bytes that expansion may still produce: more than a Dockerfile needs, less than a bomb wants.
    budget: Cell<usize>,
}

impl<'f> Scope<'f> {
    pub(super) fn new(escape: Escape, text_len: usize, input: &'f ModelInput) -> Self {
        Self {
            escape: escape.byte(),
            input,
            globals: BTreeMap::new(),
            budget: Cell::new(16 * text_len + 1024 * 1024),
        }
    }

    /// An ARG before the first FROM.
    pub(super) fn declare_global(&mut self, instruction: &Instruction) {
        for word in instruction.words() {
            let (name, default) = split_arg(&word.text);
            let value = match (self.input.build_args.get(name), default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => self.expand_global(default),
                (None, None) if self.input.build_args_complete => continue,
                (None, None) => None,
            };
            self.globals.insert(name.to_owned(), value);
        }
    }

    pub(super) fn global(&self, name: &str) -> Lookup<'_> {
        match self.globals.get(name) {
            Some(Some(value)) => Lookup::Set(value),
            Some(None) => Lookup::Unknown,
            None if PREDEFINED.contains(&name) => match self.input.build_args.get(name) {
                Some(given) => Lookup::Set(given),
                None => Lookup::Unknown,
            },
            None => Lookup::Unset,
        }
    }

    /// A word of FROM or of a global ARG.
    pub(super) fn expand_global(&self, word: &str) -> Option<String> {
        self.expand(word, &|name| self.global(name))
    }

    /// Expands a word and takes what it grew off the budget; without budget it is unknown.
    pub(super) fn expand<'a>(
        &self,
        word: &str,
        lookup: &dyn Fn(&str) -> Lookup<'a>,
    ) -> Option<String> {
        let budget = self.budget.get();
        if budget == 0 && word.contains('$') {
            return None;
        }
        let value = expand(word, self.escape, lookup).ok()?;
        let grown = value.len().saturating_sub(word.len());
        self.budget.set(budget.saturating_sub(grown));
        Some(value)
    }
}

/// `name` or `name=default` of ARG.
pub(super) fn split_arg(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((name, default)) => (name, Some(default)),
        None => (word, None),
    }
}
