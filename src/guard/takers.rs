//! What takes from a package cache and finds nothing once that is emptied: installs that fetch nothing, and copies.

use super::later::{Place, run_of};
use super::script::Shell;
use super::{Fault, Side, Verdict};
use crate::model::managers::{Kind, Manager, invocation};
use crate::model::{Base, Step};
use crate::syntax::shell::Command;
use crate::text::{Span, contains};

/// The takers of a file, in its order.
#[derive(Debug)]
pub(super) struct Takers {
    installs: Vec<Install>,
    copies: Vec<Copy>,
}

/// A command that installs without fetching anything.
#[derive(Debug)]
struct Install {
    stage: usize,
    step: usize,
    manager: &'static Manager,
    at: Span,
}

/// An instruction that copies or mounts from other stages.
#[derive(Debug)]
struct Copy {
    sources: Vec<Base>,
    at: Span,
}

/// Nothing behind `at` takes from the manager's cache.
pub(super) fn check(manager: &Manager, at: Span, shell: &Shell, place: Place<'_>) -> Verdict {
    let side = place.side;
    let takers = side.takers.get_or_init(|| Takers::of(side));
    let commands = shell.script.commands().into_iter();
    let mut behind = commands.filter(|found| found.command.span.start >= at.end);
    let here =
        behind.find(|found| offline(found.command).is_some_and(|one| one.name == manager.name));
    let here = here.map(|found| found.command.span);
    let follows = |one: &&Install| {
        let after = one.stage == place.stage && one.step > place.step;
        let above = || one.stage > place.stage && is_built_on(side, one.stage, place.stage);
        one.manager.name == manager.name && (after || above())
    };
    let later = || takers.installs.iter().find(follows).map(|one| one.at);
    if let Some(span) = here.or_else(later) {
        let reason = "the cache is deleted, and a later command installs from it alone";
        return Err(Fault::new(reason, span));
    }
    let takes = |copy: &&Copy| {
        let mut sources = copy.sources.iter();
        let holds = |base: &Base| matches!(base, Base::Stage(stage) if is_built_on(side, *stage, place.stage));
        let text = copy.at.of(side.text);
        let mut caches = manager.cache_paths.iter();
        caches.any(|cache| contains(text, cache.trim_start_matches('~'))) && sources.any(holds)
    };
    match takers.copies.iter().find(takes) {
        None => Ok(()),
        Some(copy) => {
            let reason = "the cache is deleted, and an instruction copies it";
            Err(Fault::new(reason, copy.at))
        }
    }
}

impl Takers {
    fn of(side: &Side<'_>) -> Self {
        let mut takers = Takers {
            installs: Vec::new(),
            copies: Vec::new(),
        };
        for stage in &side.model.stages {
            for step in &stage.steps {
                if !step.sources.is_empty() {
                    takers.copies.push(Copy {
                        sources: step.sources.clone(),
                        at: step.instruction.span,
                    });
                }
                let installs = installs(side, step);
                takers
                    .installs
                    .extend(installs.into_iter().map(|(manager, at)| Install {
                        stage: stage.index,
                        step: step.index,
                        manager,
                        at,
                    }));
            }
        }
        takers
    }
}

fn installs(side: &Side<'_>, step: &Step<'_>) -> Vec<(&'static Manager, Span)> {
    let Some(run) = run_of(step) else {
        return Vec::new();
    };
    let text = run.span.of(side.text);
    if !FLAGS.iter().chain(&["-C"]).any(|flag| contains(text, flag)) {
        return Vec::new();
    }
    let Some(shell) = Shell::of(side, step, run) else {
        return Vec::new();
    };
    let commands = shell.script.commands().into_iter();
    let found = |command: &Command| Some((offline(command)?, command.span));
    commands.filter_map(|at| found(at.command)).collect()
}

const FLAGS: [&str; 4] = ["--offline", "--use-local", "--cacheonly", "--local"];

/// The manager of a command that installs from its cache alone.
fn offline(command: &Command) -> Option<&'static Manager> {
    let one = invocation(&command.words)?;
    let system = one.manager.kind == Kind::System && one.has_any(&["-C".to_owned()]);
    (system || one.has_any(&FLAGS.map(str::to_owned))).then_some(one.manager)
}

/// Whether a stage is `base`, or built on it.
fn is_built_on(side: &Side<'_>, stage: usize, base: usize) -> bool {
    let mut at = stage;
    while at > base {
        match side.model.stages.get(at).map(|one| &one.base) {
            Some(Base::Stage(below)) if *below < at => at = *below,
            _ => return false,
        }
    }
    at == base
}
