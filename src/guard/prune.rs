//! A last step of a builder stage that deletes what only development needs of a Node project: no stage is built on it, and
//! none that takes files from it has a package manager of Node do anything.

use super::runtime::drops_development;
use super::{Fault, Side, Verdict};
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::model::{Base, Stage, Step};
use crate::syntax::Keyword;
use crate::syntax::shell::Script;

/// Whether step `at` of `stage` is one that deletes what is for development.
pub(super) fn is_prune(stage: &Stage<'_>, at: usize) -> bool {
    at + 1 == stage.steps.len() && drops_development(&stage.steps[at])
}

/// Nothing needs what the last step of the stage deletes.
///
/// # Errors
/// What does, or may.
pub(super) fn is_needed_by_none(side: &Side<'_>, stage: &Stage<'_>) -> Verdict {
    let Some((last, before)) = stage.steps.split_last() else {
        return Ok(());
    };
    let fault = |reason: &str| Err(Fault::new(reason, last.instruction.span));
    if stage.ships {
        return fault("packages are deleted in a stage that ships");
    }
    let text = String::from_utf8_lossy(last.instruction.args_text()).into_owned();
    let manager = text.split(' ').next().unwrap_or_default();
    let installs = |step: &&Step<'_>| {
        let asked = asked(side, step);
        asked.is_some_and(|asked| {
            let mut asked = asked.iter();
            asked.any(|one| one.manager.name == manager && one.role == Role::Install)
        })
    };
    let Some(install) = before.iter().rev().find(installs) else {
        return fault("nothing is installed that could be deleted");
    };
    let (there, here) = (&install.before, &last.before);
    let may_delete =
        here.is_root() == Some(true) || here.user().is_some() && here.user() == there.user();
    let same_state = may_delete && here.workdir().is_some() && here.workdir() == there.workdir();
    if !same_state {
        return fault("packages are deleted elsewhere, or by another user");
    }
    let mut is_taken = false;
    for other in &side.model.stages {
        if other.base == Base::Stage(stage.index) {
            return fault("a stage is built on the one that deletes packages");
        }
        let takes = |step: &Step<'_>| step.sources.contains(&Base::Stage(stage.index));
        if !other.steps.iter().any(takes) {
            continue;
        }
        is_taken = true;
        for step in &other.steps {
            if step.instruction.keyword == Keyword::Run && takes(step) {
                return fault("a RUN reads what the packages are deleted of");
            }
            if may_use_packages(side, step) {
                return fault("a stage that takes the packages may need those for development");
            }
        }
    }
    match is_taken {
        true => Ok(()),
        false => fault("packages are deleted that nothing takes over"),
    }
}

/// Whether a step calls a package manager of Node, or a tool by way of it, or does what cannot be read.
fn may_use_packages(side: &Side<'_>, step: &Step<'_>) -> bool {
    let text = String::from_utf8_lossy(step.instruction.args_text());
    let is_tool = ["npx", "pnpx", "bunx", "/.bin/"]
        .iter()
        .any(|one| text.contains(one));
    let is_run = step.instruction.keyword == Keyword::Run;
    is_run && is_tool || asked(side, step).is_none_or(|asked| !asked.is_empty())
}

/// What a step asks package managers of Node for; `None` where that cannot be read.
fn asked(side: &Side<'_>, step: &Step<'_>) -> Option<Vec<Invocation>> {
    if step.instruction.keyword != Keyword::Run {
        return Some(Vec::new());
    }
    let script: &Script = side.model.script(step).ok()?;
    let commands = script.commands();
    let asked = commands
        .iter()
        .filter_map(|at| invocation(&at.command.words))
        .filter(|asked| asked.manager.kind == Kind::Node);
    Some(asked.collect())
}
