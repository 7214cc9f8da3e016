//! RUN: the same commands in the same order, in one step or in several that became one.

use std::cell::{OnceCell, RefCell};

use super::command::Comparison;
use super::instruction::is_same_text;
use super::later::{self, Place};
use super::script::Shell;
use super::{Allowed, Fault, Side, Verdict, builds, mounted, mounts};
use crate::model::{Model, Step};
use crate::rule::Effect;
use crate::syntax::{Args, Keyword};

/// Compares the RUNs at the head of `old` to the one of `new` after the patch; how many of them it is made of.
pub(super) fn compare(
    before: &Side<'_>,
    old: &[&Step<'_>],
    place: Place<'_>,
    new: &Step<'_>,
    allowed: Allowed<'_>,
) -> Result<usize, Fault> {
    let Some(first) = old.first() else {
        return Err(Fault::new("a RUN is added", new.instruction.span));
    };
    let after = place.side;
    if is_same_text((first.instruction, before), (new.instruction, after)) {
        return Ok(1);
    }
    let added = mounts::added(
        first.instruction,
        new.instruction,
        new,
        after.escape,
        allowed,
    )?;
    let joinable = old.iter().skip(1).take_while(|step| {
        allowed.has(&Effect::Layers)
            && step.instruction.keyword == Keyword::Run
            && is_plain_shell_form(step)
            && is_plain_shell_form(first)
            && super::instruction::have_same_flags(first.instruction, step.instruction)
    });
    let shells = std::iter::once(first).chain(joinable);
    let shells = shells.map_while(|step| Shell::of(before, step, step.instruction));
    let Some(shell) = Shell::of(after, new, new.instruction) else {
        return Err(opaque(before, first, new));
    };
    // Only as many as the new text is long can be in it.
    let mut left = shell.text().len() + 1;
    let shells = shells.take_while(|one| {
        let fits = left > 0;
        left = left.saturating_sub(one.text().len().max(1));
        fits
    });
    let shells: Vec<Shell> = shells.collect();
    if shells.is_empty() {
        return Err(opaque(before, first, new));
    }
    let mounted = mounts::targets(new.instruction, new, after.escape);
    let cx = Comparison {
        allowed,
        after: &shell,
        step: new,
        home: new.before.home(),
        mounts: &mounted,
        builds: &added.builds,
        errexit: is_errexit(&shell, new),
        notes: RefCell::default(),
        fillers: OnceCell::new(),
    };
    let taken = cx.script(&shells.iter().collect::<Vec<_>>())?;
    let notes = cx.notes.take();
    later::check(&notes, &shell, place)?;
    mounted::check(&added.caches, &shell, new, place)?;
    builds::check(&added.builds, &shell, new, place)?;
    Ok(taken)
}

/// The trigger of an ONBUILD: the same, and never joined.
pub(super) fn compare_triggers(
    before: &Side<'_>,
    old: &Step<'_>,
    place: Place<'_>,
    new: &Step<'_>,
    allowed: Allowed<'_>,
) -> Verdict {
    let changed = || Fault::new("the trigger of ONBUILD changes", new.instruction.span);
    let (Args::Onbuild(ours), Args::Onbuild(theirs)) =
        (&old.instruction.args, &new.instruction.args)
    else {
        return Err(changed());
    };
    let runs = ours.keyword == Keyword::Run && theirs.keyword == Keyword::Run;
    let same_flags = super::instruction::have_same_flags(ours, theirs);
    if !runs || !same_flags || allowed.0.is_empty() {
        return Err(changed());
    }
    let shells = (
        Shell::of(before, old, ours),
        Shell::of(place.side, new, theirs),
    );
    let (Some(ours), Some(theirs)) = shells else {
        return Err(changed());
    };
    let cx = Comparison {
        allowed,
        after: &theirs,
        step: new,
        home: None,
        mounts: &[],
        builds: &[],
        errexit: is_errexit(&theirs, new),
        notes: RefCell::default(),
        fillers: OnceCell::new(),
    };
    cx.script(&[&ours])?;
    later::check(&cx.notes.take(), &theirs, place)
}

/// One line of shell, without here-documents.
fn is_plain_shell_form(step: &Step<'_>) -> bool {
    matches!(step.instruction.args, Args::Shell) && step.instruction.heredocs.is_empty()
}

fn opaque(before: &Side<'_>, old: &Step<'_>, new: &Step<'_>) -> Fault {
    let was_valid = Shell::of(before, old, old.instruction).is_some();
    let is_shell = matches!(new.instruction.args, Args::Shell);
    let reason = match was_valid && is_shell {
        true => "a RUN would no longer be valid shell",
        false => "a RUN changes that cannot be read as shell",
    };
    Fault::new(reason, new.instruction.span)
}

/// Whether the script, or the shell that runs it, may stop at the first failure.
fn is_errexit(shell: &Shell, step: &Step<'_>) -> bool {
    let options = step.before.shell().unwrap_or_default().iter().skip(1);
    let mut options = options.filter(|word| word.starts_with('-') || word.as_str() == "errexit");
    let by_shell = options.any(|word| word.contains('e'));
    let by_first_line = shell.text().starts_with(b"#!") && {
        let line = shell
            .text()
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        line.windows(2).any(|pair| pair == b" -")
    };
    let all = shell.script.commands();
    let by_command = all.iter().any(|found| found.command.name() == Some("set"));
    by_shell || by_first_line || by_command
}

/// The steps of a stage in the model, for other comparisons.
pub(super) fn steps_of<'m, 'f>(model: &'m Model<'f>, stage: usize) -> &'m [Step<'f>] {
    model
        .stages
        .get(stage)
        .map_or(&[], |stage| stage.steps.as_slice())
}
