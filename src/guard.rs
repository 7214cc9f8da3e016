//! The second opinion: compares what a file means before and after a patch, and stops what its rule does not declare.
//!
//! Both texts are read into plans: the parser directives, the global scope, and each stage with its instructions in
//! order, a RUN as its list of commands. Two plans are compared instruction by instruction from the top, so that where
//! two instructions are compared the state before them (shell, user, working directory, variables) is the same. A
//! difference that no effect covers is a violation, and so is everything that cannot be told.
//!
//! Shares the syntax and the model with the passes, and none of their code. Never looks at the build context.

mod base;
mod builds;
mod caches;
mod command;
mod config;
mod copies;
mod directories;
mod instruction;
mod later;
mod leaks;
mod list;
mod manifests;
mod modes;
mod mounted;
mod mounts;
mod needs;
mod order;
mod packages;
mod parts;
mod prefetch;
mod prune;
mod runs;
mod runtime;
mod script;
mod split;
mod stages;
mod steps;
mod takers;
mod temp;
mod unused;
mod variables;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;

use crate::model::{Model, ModelInput};
use crate::rule::Effect;
use crate::syntax::{Dockerfile, Instruction, Keyword};
use crate::text::{Span, contains};
use takers::Takers;

/// Why a patch is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What the patch would change that its rule does not declare.
    pub reason: String,
    /// Where that stands in the text after the patch; empty, at the place, where something is gone.
    pub span: Span,
    /// The 1-based line of its start.
    pub line: u32,
}

/// Whether a patch may turn `before`, which BuildKit accepts, into `after`. Linear in both texts.
///
/// # Errors
/// The first thing that it would change and that none of `effects` lets through.
pub fn check(before: &[u8], after: &[u8], effects: &[Effect]) -> Result<(), Violation> {
    if before == after {
        return Ok(());
    }
    let (old, new) = (Dockerfile::parse(before), Dockerfile::parse(after));
    check_parsed((&old, before), (&new, after), effects)
}

/// As [`check`], with what was parsed of each text.
///
/// # Errors
/// As [`check`].
pub fn check_parsed(
    (old, before): (&Dockerfile, &[u8]),
    (new, after): (&Dockerfile, &[u8]),
    effects: &[Effect],
) -> Result<(), Violation> {
    compare(old, before, new, after, Allowed(effects)).map_err(|fault| {
        let start = (fault.span.start as usize).min(after.len());
        let lines = after[..start].iter().filter(|byte| **byte == b'\n');
        Violation {
            reason: fault.reason,
            span: fault.span,
            line: lines.count() as u32 + 1,
        }
    })
}

/// A violation whose line is not counted yet.
#[derive(Debug)]
struct Fault {
    reason: String,
    span: Span,
}

impl Fault {
    fn new(reason: impl Into<String>, span: Span) -> Self {
        let reason = reason.into();
        Self { reason, span }
    }
}

/// What a part of the comparison finds.
type Verdict = Result<(), Fault>;

/// The effects that a rule declares.
#[derive(Debug, Clone, Copy)]
struct Allowed<'e>(&'e [Effect]);

impl Allowed<'_> {
    fn has(self, effect: &Effect) -> bool {
        self.0.contains(effect)
    }

    fn config(self, key: &str) -> bool {
        let keys = self.0.iter();
        keys.filter_map(|effect| match effect {
            Effect::Config(key) => Some(key.as_str()),
            _ => None,
        })
        .any(|allowed| allowed == key)
    }
}

/// One of the two texts, and what it means.
struct Side<'f> {
    text: &'f [u8],
    escape: u8,
    model: Model<'f>,
    /// Whether an ARG of the global scope gives `TARGETPLATFORM` a value of its own.
    sets_platform: bool,
    /// [`Side::may_be_offline`], once that was asked.
    may_be_offline: OnceCell<bool>,
    /// The stages and targets of cache mounts that were looked at: what follows the first one follows all.
    mounted: RefCell<BTreeSet<(usize, String)>>,
    /// How many steps were looked at that keep a build directory.
    builds: Cell<usize>,
    /// What takes from package caches; read once it matters.
    takers: OnceCell<Takers>,
}

impl<'f> Side<'f> {
    fn of(file: &'f Dockerfile, text: &'f [u8], input: &'f ModelInput) -> Self {
        Self {
            text,
            escape: file.escape.byte(),
            sets_platform: sets_platform(file),
            may_be_offline: OnceCell::new(),
            mounted: RefCell::default(),
            builds: Cell::default(),
            takers: OnceCell::new(),
            model: Model::of(file, text, input),
        }
    }

    /// Whether some command may install from a cache alone: no step need be searched where none does.
    fn may_be_offline(&self) -> bool {
        const OFFLINE: [&str; 9] = [
            "offline",
            "frozen",
            "--no-restore",
            "--no-build",
            "use-local",
            "cacheonly",
            "--local",
            " -o",
            " -C",
        ];
        let search = || OFFLINE.iter().any(|mark| contains(self.text, mark));
        *self.may_be_offline.get_or_init(search)
    }
}

fn compare(
    old: &Dockerfile,
    before: &[u8],
    new: &Dockerfile,
    after: &[u8],
    allowed: Allowed<'_>,
) -> Verdict {
    if let Some(error) = new.errors.first() {
        let reason = format!("BuildKit would refuse the file: {}", error.message);
        return Err(Fault::new(reason, error.span));
    }
    directives(old, new)?;
    let input = ModelInput::default();
    let before = Side::of(old, before, &input);
    let after = Side::of(new, after, &input);
    global_scope(old, &before, new, &after)?;
    let may_split = allowed.has(&Effect::Layers) && allowed.has(&Effect::Order);
    let Some(text) = may_split
        .then(|| split::resolved(&before, &after))
        .flatten()
    else {
        return stages::compare(&before, &after, allowed);
    };
    let old = Dockerfile::parse(&text);
    stages::compare(&Side::of(&old, &text, &input), &after, allowed)
}

fn directives(old: &Dockerfile, new: &Dockerfile) -> Verdict {
    let key = |file: &Dockerfile| -> Vec<(String, String)> {
        let all = file.directives();
        all.map(|one| (one.name.clone(), one.value.clone()))
            .collect()
    };
    match key(old) == key(new) {
        true => Ok(()),
        false => Err(Fault::new("a parser directive changes", Span::at(0))),
    }
}

fn global_scope(
    old: &Dockerfile,
    before: &Side<'_>,
    new: &Dockerfile,
    after: &Side<'_>,
) -> Verdict {
    let mut old = global(old);
    let mut new = global(new);
    loop {
        match (old.next(), new.next()) {
            (None, None) => return Ok(()),
            (Some(old), Some(new)) => instruction::same((old, before), (new, after))?,
            (Some(old), None) => {
                let reason = format!("{} of the global scope is gone", old.keyword);
                return Err(Fault::new(reason, Span::at(0)));
            }
            (None, Some(new)) => {
                let reason = format!("{} is added to the global scope", new.keyword);
                return Err(Fault::new(reason, new.span));
            }
        }
    }
}

fn global(file: &Dockerfile) -> impl Iterator<Item = &Instruction> {
    file.instructions()
        .take_while(|one| one.keyword != Keyword::From)
}

fn sets_platform(file: &Dockerfile) -> bool {
    let mut words = global(file).flat_map(Instruction::words);
    words.any(|word| word.text.starts_with("TARGETPLATFORM="))
}
