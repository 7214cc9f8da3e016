//! The stages: as many as before, each with its name and base; or a builder in front of the stage that ships.

use std::collections::HashSet;

use super::instruction::{At, same_platform, same_stage_name};
use super::script::Shell;
use super::{Allowed, Fault, Side, Verdict, config, steps};
use crate::model::{Stage, Step};
use crate::rule::Effect;
use crate::syntax::{Instruction, Keyword};
use crate::text::Span;

/// Compares all stages.
pub(super) fn compare(before: &Side<'_>, after: &Side<'_>, allowed: Allowed<'_>) -> Verdict {
    let (old, new) = (&before.model.stages, &after.model.stages);
    if old.len() < new.len() && allowed.has(&Effect::Stages) {
        return split(before, after, allowed);
    }
    if old.len() != new.len() {
        let reason = format!("there are {} stages instead of {}", new.len(), old.len());
        let at = new.last().map_or(Span::at(0), |stage| stage.from.span);
        return Err(Fault::new(reason, at));
    }
    for (old, new) in old.iter().zip(new) {
        from((old.from, before), (new.from, after), allowed)?;
        steps::compare(before, &old.steps, after, new.index, allowed)?;
    }
    Ok(())
}

fn from((old, before): At<'_>, (new, after): At<'_>, allowed: Allowed<'_>) -> Verdict {
    if !allowed.has(&Effect::Base) {
        return super::instruction::same((old, before), (new, after));
    }
    match same_platform((old, before), (new, after)) && same_stage_name(old, new) {
        true => Ok(()),
        false => Err(Fault::new(
            "the name or platform of a stage changes",
            new.span,
        )),
    }
}

/// Stages were added. Each old one but the last is as it was; each command of the last one is in it or in a new one,
/// and what the last one becomes is configured as before.
fn split(before: &Side<'_>, after: &Side<'_>, allowed: Allowed<'_>) -> Verdict {
    let (old, new) = (&before.model.stages, &after.model.stages);
    let (Some((shipped, others)), Some((runtime, inserted))) = (old.split_last(), new.split_last())
    else {
        return Ok(());
    };
    let (kept, builders) = inserted.split_at(others.len().min(inserted.len()));
    for (old, new) in others.iter().zip(kept) {
        super::instruction::same((old.from, before), (new.from, after))?;
        steps::compare(before, &old.steps, after, new.index, allowed)?;
    }
    let platform = same_platform((shipped.from, before), (runtime.from, after));
    if shipped.name != runtime.name || !platform {
        return Err(Fault::new(
            "the name or platform of the shipped stage changes",
            runtime.from.span,
        ));
    }
    let base = |stage: &Stage<'_>| stage.from.words().first().map(|word| word.text.clone());
    if base(shipped) != base(runtime) && !allowed.has(&Effect::Base) {
        return Err(Fault::new(
            "the base of the shipped stage changes",
            runtime.from.span,
        ));
    }
    every_command_is_there((before, shipped), (after, builders, runtime))?;
    is_configured_alike((before, shipped), (after, runtime), allowed)
}

/// Each command of the old stage is a command of a new one: its words in the same order, and options more at most.
fn every_command_is_there(
    (before, shipped): (&Side<'_>, &Stage<'_>),
    (after, builders, runtime): (&Side<'_>, &[Stage<'_>], &Stage<'_>),
) -> Verdict {
    let fault = |text: &str| {
        let text: String = text.chars().take(60).collect();
        Err(Fault::new(
            format!("`{text}` is in no stage"),
            runtime.from.span,
        ))
    };
    let stages = || builders.iter().chain(std::iter::once(runtime));
    let mut there: HashSet<Vec<String>> = HashSet::new();
    let mut opaque: HashSet<&[u8]> = HashSet::new();
    for step in stages().flat_map(|stage| &stage.steps) {
        opaque.insert(step.instruction.args_text());
        there.extend(commands(after, step));
    }
    for step in &shipped.steps {
        let text = step.instruction.args_text();
        let moves = matches!(
            step.instruction.keyword,
            Keyword::Run | Keyword::Copy | Keyword::Add
        );
        if !moves || opaque.contains(text) {
            continue;
        }
        let quoted = String::from_utf8_lossy(text).into_owned();
        if step.instruction.keyword != Keyword::Run
            || Shell::of(before, step, step.instruction).is_none()
        {
            return fault(&quoted);
        }
        if let Some(missing) = commands(before, step)
            .iter()
            .find(|words| !there.contains(*words))
        {
            return fault(&missing.join(" "));
        }
    }
    Ok(())
}

/// The commands of a RUN, each as its words without those that name a place to install to.
fn commands(side: &Side<'_>, step: &Step<'_>) -> Vec<Vec<String>> {
    let shell = match step.instruction.keyword {
        Keyword::Run => Shell::of(side, step, step.instruction),
        _ => None,
    };
    let Some(shell) = shell else {
        return Vec::new();
    };
    let commands = shell.script.commands().into_iter();
    let words = commands.map(|found| {
        let words = found.command.words.iter();
        let words = words.filter(|word| !word.text.starts_with("--prefix="));
        words.map(|word| word.text.clone()).collect()
    });
    words.collect()
}

/// The instructions that configure the image say the same, in the same order, and where nothing sets a key of which
/// the old base had a value that is known, the new base has that value.
fn is_configured_alike(
    (before, shipped): (&Side<'_>, &Stage<'_>),
    (after, runtime): (&Side<'_>, &Stage<'_>),
    allowed: Allowed<'_>,
) -> Verdict {
    let lines = |stage: &Stage<'_>| -> Vec<(Keyword, Vec<u8>)> {
        let all = stage.steps.iter().map(|step| step.instruction);
        let is_config = |one: &&Instruction| {
            config::key(one.keyword)
                .is_some_and(|key| !allowed.config(key) && key != "workdir" && key != "env")
        };
        all.filter(is_config)
            .map(|one| (one.keyword, one.args_text().to_vec()))
            .collect()
    };
    let fault = |reason: String| Err(Fault::new(reason, runtime.from.span));
    if lines(shipped) != lines(runtime) {
        return fault("the shipped stage is configured differently".to_owned());
    }
    let (old, new) = (&shipped.end, &runtime.end);
    if old.workdir() != new.workdir() || old.user() != new.user() || old.shell() != new.shell() {
        return fault(
            "the shipped stage forgets the user, the directory or the shell of its base".to_owned(),
        );
    }
    for (name, variable) in old.variables() {
        let same = new.variable(name).map(|other| &other.value) == Some(&variable.value);
        if !same {
            return fault(format!("the shipped stage forgets the variable `{name}`"));
        }
    }
    let (Some(old), Some(new)) = (
        before.model.config(shipped.index),
        after.model.config(runtime.index),
    ) else {
        return Ok(());
    };
    match old.entrypoint == new.entrypoint && (old.cmd == new.cmd || old.cmd.is_none()) {
        true => Ok(()),
        false => fault("the shipped stage forgets the command of its base".to_owned()),
    }
}
