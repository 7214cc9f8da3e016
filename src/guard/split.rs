//! A RUN that became several: the same commands in the same order, so that what is between them may be looked at as if
//! the file had been written that way.

use super::Side;
use super::instruction::have_same_flags;
use super::leaks::{leak, shadowed};
use super::script::{Joint, Shell, joint};
use crate::model::mount::{self, Mount};
use crate::model::{Stage, Step};
use crate::syntax::shell::Statement;
use crate::syntax::{Args, Keyword};
use crate::text::Span;
use std::collections::HashMap;

/// No more RUNs than these come of one.
const MOST_PARTS: usize = 8;

/// No more pairs of RUNs than these are compared.
const MOST_TRIES: usize = 4096;

/// The text before the patch, each RUN that was split at a `&&` written as the RUNs that it became; `None` where none was.
pub(super) fn resolved(before: &Side<'_>, after: &Side<'_>) -> Option<Vec<u8>> {
    let stages = before.model.stages.iter().zip(&after.model.stages);
    let mut tries = MOST_TRIES;
    let splits: Vec<(Span, Vec<Span>)> = stages
        .flat_map(|(old, new)| in_stage((before, old), (after, new), &mut tries))
        .collect();
    if splits.is_empty() {
        return None;
    }
    let mut text = Vec::with_capacity(before.text.len());
    let mut at = 0;
    for (old, parts) in splits {
        text.extend_from_slice(before.text.get(at..old.start as usize)?);
        for part in parts {
            text.extend_from_slice(part.of(after.text));
            if !text.ends_with(b"\n") {
                text.push(b'\n');
            }
        }
        at = old.end as usize;
    }
    text.extend_from_slice(before.text.get(at..)?);
    Some(text)
}

/// A RUN of one side that is not on the other.
struct Run<'a, 'f> {
    step: &'a Step<'f>,
    shell: Shell<'a>,
}

/// The RUNs of a stage that were split, in order, each with those that it became.
fn in_stage(
    (before, old): (&Side<'_>, &Stage<'_>),
    (after, new): (&Side<'_>, &Stage<'_>),
    tries: &mut usize,
) -> Vec<(Span, Vec<Span>)> {
    let (gone, came) = (alone((before, old), new), alone((after, new), old));
    let mut free = vec![true; came.len()];
    let mut splits = Vec::new();
    for run in &gone {
        let Some(parts) = parts_of(run, &came, &free, tries) else {
            continue;
        };
        parts.iter().for_each(|part| free[*part] = false);
        let spans = parts.iter().map(|part| came[*part].step.instruction.span);
        splits.push((run.step.instruction.span, spans.collect()));
    }
    splits
}

/// The RUNs of a stage of which the other side has none of the same text, or not as many.
fn alone<'a, 'f>((side, stage): (&Side<'_>, &'a Stage<'f>), other: &Stage<'_>) -> Vec<Run<'a, 'f>> {
    let is_run = |step: &&Step<'_>| step.instruction.keyword == Keyword::Run;
    let mut texts: HashMap<&[u8], usize> = HashMap::new();
    for step in other.steps.iter().filter(is_run) {
        *texts.entry(step.instruction.args_text()).or_default() += 1;
    }
    let runs = stage.steps.iter().filter(is_run).filter(|step| {
        match texts.get_mut(step.instruction.args_text()) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        }
    });
    let is_line = |step: &&Step<'_>| {
        matches!(step.instruction.args, Args::Shell) && step.instruction.heredocs.is_empty()
    };
    runs.filter(is_line)
        .filter_map(|step| {
            let shell = Shell::of(side, step, step.instruction)?;
            Some(Run { step, shell })
        })
        .collect()
}

/// The RUNs, by index and in order, that together are `run`.
fn parts_of(
    run: &Run<'_, '_>,
    came: &[Run<'_, '_>],
    free: &[bool],
    tries: &mut usize,
) -> Option<Vec<usize>> {
    let statements = &run.shell.script.statements;
    let all_and = statements
        .split_last()?
        .1
        .iter()
        .all(|one| joint(one) == Joint::And);
    if statements.len() < 2 || !all_and || !may_be_split(run) {
        return None;
    }
    let mut parts = Vec::new();
    let mut done = 0;
    for (index, part) in came.iter().enumerate().filter(|(index, _)| free[*index]) {
        *tries = tries.checked_sub(1)?;
        if done == statements.len() || parts.len() == MOST_PARTS {
            break;
        }
        let moves = moves(&statements[..done]);
        let absolute = moves
            .iter()
            .rposition(|one| is_absolute_move(one))
            .unwrap_or(0);
        let again = |moves: &[&Statement]| taken(run, done, part, moves);
        let count = || again(&moves).or_else(|| again(&moves[absolute..]));
        let same = have_same_flags(run.step.instruction, part.step.instruction);
        let Some(count) = same.then(count).flatten() else {
            continue;
        };
        done += count;
        parts.push(index);
        let rest = statements.get(done..).unwrap_or_default();
        if !rest.is_empty() && !is_clean(run, &statements[..done]) {
            return None;
        }
    }
    let base = run.step.before.base();
    let is_newer = |(at, part): (usize, &usize)| {
        let mut behind = parts.iter().skip(at + 1);
        behind.any(|next| shadowed(&came[*part].shell, &came[*next].shell, base).is_some())
    };
    let whole = done == statements.len() && parts.len() > 1;
    (whole && !parts.iter().enumerate().any(is_newer)).then_some(parts)
}

/// Whether nothing but files goes from one command of a RUN to the next, its mounts included.
fn may_be_split(run: &Run<'_, '_>) -> bool {
    let expand = |word: &str| run.step.before.expand(word, b'\\');
    let text = run.shell.text();
    let mut pairs = text.windows(2);
    let remembers = pairs.any(|pair| matches!(pair, b"$?" | b"$!" | b"$_" | b"<<" | b"$$"));
    let mut flags = run.step.instruction.flags.iter();
    !remembers
        && flags.all(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            let mount = (flag.name == "mount").then(|| Mount::parse(value, &expand).ok());
            match mount {
                None => true,
                Some(mount) => mount.is_some_and(|mount| {
                    mount.readonly
                        || matches!(
                            mount.kind,
                            mount::Kind::Cache | mount::Kind::Secret | mount::Kind::Ssh
                        )
                }),
            }
        })
}

/// The `cd`s among the statements that are taken: the next part must go there again.
fn moves(taken: &[Statement]) -> Vec<&Statement> {
    taken.iter().filter(|one| is_move(one)).collect()
}

fn is_absolute_move(statement: &Statement) -> bool {
    let command = statement.command();
    let directory = command.and_then(|command| command.words.get(1));
    directory.is_some_and(|directory| directory.text.starts_with('/'))
}

fn is_move(statement: &Statement) -> bool {
    let command = statement.command().filter(|_| !statement.negated);
    command.is_some_and(|command| {
        let plain = command.assignments.is_empty() && command.redirects.is_empty();
        let [name, directory] = command.words.as_slice() else {
            return false;
        };
        plain && name.text == "cd" && directory.substitutions.is_empty() && directory.text != "-"
    })
}

/// How many statements of `run` behind `done` are `part`, which begins with `moves`.
fn taken(
    run: &Run<'_, '_>,
    done: usize,
    part: &Run<'_, '_>,
    moves: &[&Statement],
) -> Option<usize> {
    let theirs = part.shell.script.statements.as_slice();
    let (again, theirs) = theirs.split_at_checked(moves.len())?;
    let ours = run
        .shell
        .script
        .statements
        .get(done..)?
        .get(..theirs.len())?;
    let same = |(one, other): (&Statement, &Statement)| {
        one.negated == other.negated
            && run.shell.skeleton(one.span, &[]) == part.shell.skeleton(other.span, &[])
    };
    let goes_on = theirs
        .split_last()?
        .1
        .iter()
        .all(|one| joint(one) == Joint::And);
    let ends = joint(theirs.last()?) == Joint::Then && part.shell.residue().is_empty();
    let led = again.iter().all(|one| joint(one) == Joint::And);
    let is_same = moves.iter().copied().zip(again).all(same) && ours.iter().zip(theirs).all(same);
    (is_same && goes_on && ends && led).then_some(theirs.len())
}

/// Whether the commands of `first` leave nothing in the shell for those that follow, but where they are.
fn is_clean(run: &Run<'_, '_>, first: &[Statement]) -> bool {
    let mut others = first.iter().filter(|one| !is_move(one));
    others.all(|one| leak(&run.shell, std::slice::from_ref(one), run.shell.text()).is_none())
}
