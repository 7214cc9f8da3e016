//! Lists of commands: the same commands in the same order, each run and failing as before.
//!
//! A list may hold commands more or less than before, where an effect covers them. Then the operators around them must
//! leave all others as they were: what runs after whose failure, and with which outcome the list ends.

use super::command::Comparison;
use super::leaks::{leak, shadowed};
use super::script::{Joint, Shell, joint, lists};
use super::{Fault, Verdict, builds, caches, packages, temp};
use crate::syntax::shell::{Compound, CompoundKind, Node, Operator, Redirect, Statement};

/// Where the statements of both sides went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// A statement of step `step` that is `new` after the patch. `whole`: the step went into braces.
    Kept {
        step: usize,
        old: usize,
        new: usize,
        whole: bool,
    },
    Added {
        new: usize,
    },
    Removed {
        step: usize,
        old: usize,
    },
}

/// The list of one step, or those of several that were joined, and the list after the patch.
struct Walk<'a, 'c> {
    cx: &'a Comparison<'c>,
    steps: &'a [(&'a Shell<'a>, &'a [Statement])],
    new: &'a [Statement],
    entries: Vec<Entry>,
}

impl Comparison<'_> {
    /// Compares the scripts of `steps` to the script after the patch; how many of them it is made of, one at least.
    pub(super) fn script(&self, steps: &[&Shell]) -> Result<usize, Fault> {
        let pairs = steps
            .iter()
            .map(|shell| (*shell, shell.script.statements.as_slice()));
        let pairs: Vec<_> = pairs.collect();
        let new = &self.after.script.statements;
        let taken = self.list(&pairs, new, true)?;
        let old = || steps.iter().take(taken);
        let residue = old().flat_map(|shell| shell.residue());
        let same = residue.collect::<Vec<u8>>() == self.after.residue();
        // A carriage return is part of a word to the shell, and a blank to the parser.
        let returns = |shell: &Shell| shell.text().iter().filter(|byte| **byte == b'\r').count();
        let returned: usize = old().map(|shell| returns(shell)).sum();
        if !same || returned != returns(self.after) {
            let reason = "what stands beside the commands changes";
            return Err(Fault::new(reason, self.after.script.span));
        }
        Ok(taken)
    }

    /// Compares two lists inside a compound command.
    pub(super) fn nested(
        &self,
        before: &Shell,
        (old, new): (&[Statement], &[Statement]),
        kind: CompoundKind,
    ) -> Verdict {
        let ends_shell = kind == CompoundKind::Subshell;
        self.list(&[(before, old)], new, ends_shell).map(|_| ())
    }

    fn list(
        &self,
        steps: &[(&Shell, &[Statement])],
        new: &[Statement],
        ends_shell: bool,
    ) -> Result<usize, Fault> {
        let mut walk = Walk {
            cx: self,
            steps,
            new,
            entries: Vec::new(),
        };
        let taken = walk.align()?;
        walk.check_joints(ends_shell)?;
        for step in 1..taken {
            walk.check_boundary(step)?;
        }
        Ok(taken)
    }
}

impl Walk<'_, '_> {
    /// Finds for each statement where it went; how many steps the new list is made of.
    fn align(&mut self) -> Result<usize, Fault> {
        let (mut step, mut old, mut new) = (0, 0, 0);
        loop {
            let statements = self.steps.get(step).map_or(&[][..], |(_, list)| list);
            match (statements.get(old), self.new.get(new)) {
                (None, None) => return Ok(step + 1),
                (Some(_), Some(_)) => match self.keep(step, old, new) {
                    Ok(next) => (old, new) = (next, new + 1),
                    Err(fault) => {
                        // What comes and what goes may both be cleanups: the statement that stays tells which is which.
                        let noted = self.cx.notes.borrow().len();
                        if self.is_removable(step, old) && self.stays_behind(step, old, new) {
                            self.entries.push(Entry::Removed { step, old });
                            old += 1;
                            continue;
                        }
                        self.cx.notes.borrow_mut().truncate(noted);
                        if self.is_addable(new) {
                            self.entries.push(Entry::Added { new });
                            new += 1;
                        } else if self.is_removable(step, old) {
                            self.entries.push(Entry::Removed { step, old });
                            old += 1;
                        } else {
                            return Err(fault);
                        }
                    }
                },
                (Some(_), None) if self.is_removable(step, old) => {
                    self.entries.push(Entry::Removed { step, old });
                    old += 1;
                }
                (Some(gone), None) => return Err(self.gone(step, gone)),
                (None, Some(_)) => match self.keep(step + 1, 0, new) {
                    Ok(next) => (step, old, new) = (step + 1, next, new + 1),
                    Err(_) if self.is_addable(new) => {
                        self.entries.push(Entry::Added { new });
                        new += 1;
                    }
                    Err(fault) => return Err(fault),
                },
            }
        }
    }

    /// Keeps statement `old` of a step as statement `new`, or the whole step where that holds it in braces. The index
    /// of the statement after it.
    fn keep(&mut self, step: usize, old: usize, new: usize) -> Result<usize, Fault> {
        let theirs = &self.new[new];
        let added = || {
            let quoted = self.cx.after.quote(theirs.span);
            Fault::new(format!("`{quoted}` is added"), theirs.span)
        };
        let Some((shell, statements)) = self.steps.get(step) else {
            return Err(added());
        };
        let Some(ours) = statements.get(old) else {
            return Err(added());
        };
        let entry = |whole| Entry::Kept {
            step,
            old,
            new,
            whole,
        };
        let fault = match self.cx.statement(shell, ours, theirs) {
            Ok(()) => {
                self.entries.push(entry(false));
                return Ok(old + 1);
            }
            Err(fault) => fault,
        };
        let Some(inside) = braced(theirs).filter(|_| old == 0) else {
            return Err(fault);
        };
        self.cx.list(&[(shell, statements)], inside, false)?;
        self.entries.push(entry(true));
        Ok(statements.len())
    }

    /// Whether statement `new` is one behind statement `old`, with nothing but cleanups between.
    fn stays_behind(&self, step: usize, old: usize, new: usize) -> bool {
        const MOST_CLEANUPS: usize = 8;
        let behind = old + 1..old + 1 + MOST_CLEANUPS;
        let mut candidates =
            behind.take_while(|next| *next == old + 1 || self.is_removable(step, *next - 1));
        candidates.any(|next| self.stays(step, next, new))
    }

    /// Whether statement `old` of a step is statement `new`.
    fn stays(&self, step: usize, old: usize, new: usize) -> bool {
        let Some((shell, statements)) = self.steps.get(step) else {
            return false;
        };
        let pair = statements.get(old).zip(self.new.get(new));
        pair.is_some_and(|(old, new)| self.cx.statement(shell, old, new).is_ok())
    }

    fn gone(&self, step: usize, statement: &Statement) -> Fault {
        let quoted = self
            .steps
            .get(step)
            .map(|(shell, _)| shell.quote(statement.span));
        let reason = format!("`{}` is gone", quoted.unwrap_or_default());
        Fault::new(reason, self.cx.after.script.span)
    }

    /// Whether an effect covers that a statement was added.
    fn is_addable(&self, new: usize) -> bool {
        let Some(command) = simple(&self.new[new]) else {
            return false;
        };
        caches::is_added_cleanup(self.cx, command)
            || builds::is_copied_out(self.cx, command)
            || temp::is_leftover(self.cx, self.new, new)
            || packages::is_added_setting(self.cx, command, self.new.get(new + 1))
    }

    /// Whether an effect covers that a statement went.
    fn is_removable(&self, step: usize, old: usize) -> bool {
        let statement = self.steps.get(step).and_then(|(_, list)| list.get(old));
        let command = statement.and_then(quiet);
        command.is_some_and(|command| caches::is_dropped(self.cx, command))
    }

    /// The joint behind an entry on the side before, and on the side after.
    fn joint_before(&self, entry: Entry) -> Option<Joint> {
        let (step, old) = match entry {
            Entry::Kept {
                step, whole: true, ..
            } => (step, self.steps.get(step)?.1.len() - 1),
            Entry::Kept { step, old, .. } | Entry::Removed { step, old } => (step, old),
            Entry::Added { .. } => return None,
        };
        Some(joint(self.steps.get(step)?.1.get(old)?))
    }

    fn joint_after(&self, entry: Entry) -> Option<Joint> {
        match entry {
            Entry::Kept { new, .. } | Entry::Added { new } => Some(joint(self.new.get(new)?)),
            Entry::Removed { .. } => None,
        }
    }

    /// The operators between what was kept do what they did.
    fn check_joints(&self, ends_shell: bool) -> Verdict {
        let is_kept = |entry: &Entry| matches!(entry, Entry::Kept { .. });
        let Some(first) = self.entries.iter().position(is_kept) else {
            return match self.entries.is_empty() {
                true => Ok(()),
                false => Err(self.fault("nothing is left of the list", None)),
            };
        };
        let last = self.entries.iter().rposition(is_kept).unwrap_or(first);
        let harmless = |joint: &Joint| matches!(joint, Joint::And | Joint::Then);
        let leading = &self.entries[..first];
        let mut joints = self
            .befores(leading)
            .into_iter()
            .chain(self.afters(leading));
        if !joints.all(|joint| harmless(&joint)) {
            return Err(self.fault("what follows `||` or `&` changes", self.entries.get(first)));
        }
        let is_broken = |entry: &Entry| match entry {
            Entry::Added { new } => {
                let operator = self.new.get(*new).and_then(|one| one.operator);
                operator.is_some_and(|(operator, _)| operator == Operator::Semicolon)
            }
            _ => false,
        };
        let goes_on = self.joint_before(self.entries[first]) == Some(Joint::And);
        if goes_on && leading.iter().any(is_broken) {
            let reason = "a failure of what is added goes unseen";
            return Err(self.fault(reason, self.entries.get(first)));
        }
        let mut from = first;
        for (to, entry) in self
            .entries
            .iter()
            .enumerate()
            .take(last + 1)
            .skip(first + 1)
        {
            if is_kept(entry) {
                self.check_between(from, to)?;
                from = to;
            }
        }
        self.check_end(last, ends_shell)
    }

    /// The operators from the kept entry `from` to the next one, `to`.
    fn check_between(&self, from: usize, to: usize) -> Verdict {
        let part = &self.entries[from..to];
        let (old, new) = (self.befores(part), self.afters(part));
        let all = |joints: &[Joint], wanted| joints.iter().all(|joint| *joint == wanted);
        if step_of(self.entries[from]) != step_of(self.entries[to]) {
            let joined = all(&new, Joint::And) && old.last() != Some(&Joint::Background);
            return match joined {
                true => Ok(()),
                false => Err(self.fault(
                    "steps are joined by something else than `&&`",
                    self.entries.get(to),
                )),
            };
        }
        let same = match part.len() {
            1 => old == new,
            _ if old
                .iter()
                .chain(&new)
                .any(|joint| matches!(joint, Joint::Or | Joint::Background)) =>
            {
                false
            }
            _ if all(&old, Joint::And) => all(&new, Joint::And),
            _ if self.cx.errexit => all(&new, Joint::Then),
            _ => new.last() == Some(&Joint::Then),
        };
        match same {
            true => Ok(()),
            false => Err(self.fault(
                "what runs after which failure changes",
                self.entries.get(to),
            )),
        }
    }

    /// The operators behind the last kept entry: the list must end with the outcome that it had.
    fn check_end(&self, last: usize, ends_shell: bool) -> Verdict {
        let part = &self.entries[last..];
        let (old, new) = (self.befores(part), self.afters(part));
        if part.len() == 1 {
            return match old == new
                || step_of(self.entries[last]) > Some(0)
                    && old != [Joint::Background]
                    && new == [Joint::Then]
            {
                true => Ok(()),
                false => Err(self.fault("what ends the list changes", self.entries.get(last))),
            };
        }
        let inner = |joints: &[Joint]| {
            joints
                .split_last()
                .map(|(_, rest)| rest.to_vec())
                .unwrap_or_default()
        };
        let runs_on = |joints: &[Joint]| inner(joints).iter().all(|joint| *joint == Joint::And);
        let no_background = !old
            .iter()
            .chain(&new)
            .any(|joint| *joint == Joint::Background);
        let plain = runs_on(&old) && runs_on(&new) && (ends_shell || !self.cx.errexit);
        // Under `set -e` a failure ends the script before what follows a `;`, but not inside of a list of `&&` and `||`.
        let alone = !self.is_in_list(last);
        let stops = inner(&old)
            .iter()
            .chain(&inner(&new))
            .all(|joint| *joint == Joint::Then);
        match no_background && (plain || self.cx.errexit && alone && stops) {
            true => Ok(()),
            false => Err(self.fault(
                "a failure of what stands before it goes unseen",
                self.entries.get(last + 1).or(self.entries.get(last)),
            )),
        }
    }

    /// Whether a kept entry stands behind a `&&` or `||`, or is negated.
    fn is_in_list(&self, entry: usize) -> bool {
        let Some(Entry::Kept { step, old, .. }) = self.entries.get(entry).copied() else {
            return true;
        };
        let Some((_, list)) = self.steps.get(step) else {
            return true;
        };
        let before = old.checked_sub(1).and_then(|before| list.get(before));
        let behind = before.is_some_and(|before| matches!(joint(before), Joint::And | Joint::Or));
        behind || list.get(old).is_none_or(|statement| statement.negated)
    }

    /// Step `step` may follow those before it in one shell.
    fn check_boundary(&self, step: usize) -> Verdict {
        let mine = self
            .entries
            .iter()
            .find(|entry| step_of(**entry) == Some(step));
        let Some((shell, statements)) = self.steps.get(step) else {
            return Ok(());
        };
        let whole = matches!(mine, Some(Entry::Kept { whole: true, .. }));
        let inner = statements.split_last().map_or(&[][..], |(_, inner)| inner);
        if !whole && inner.iter().any(|one| joint(one) != Joint::And) {
            let reason = "the second step would run on after a failure of the first";
            return Err(self.fault(reason, mine));
        }
        let reads_outcome = |text: &[u8]| {
            let mut pairs = text.windows(2);
            pairs.any(|pair| matches!(pair, b"$?" | b"$!" | b"$_"))
        };
        if reads_outcome(shell.text()) {
            return Err(self.fault(
                "the second step reads what the shell remembers of the first",
                mine,
            ));
        }
        if shell.text().windows(2).any(|pair| pair == b"<<") {
            return Err(self.fault("a here-document is joined", mine));
        }
        let leaked = self.steps.iter().take(step).find_map(|(before, list)| {
            let shadowed = || shadowed(before, shell, self.cx.step.before.base());
            leak(before, list, shell.text()).or_else(shadowed)
        });
        match leaked {
            None => Ok(()),
            Some(reason) => Err(self.fault(&reason, mine)),
        }
    }

    fn befores(&self, entries: &[Entry]) -> Vec<Joint> {
        entries
            .iter()
            .filter_map(|entry| self.joint_before(*entry))
            .collect()
    }

    fn afters(&self, entries: &[Entry]) -> Vec<Joint> {
        entries
            .iter()
            .filter_map(|entry| self.joint_after(*entry))
            .collect()
    }

    fn fault(&self, reason: &str, at: Option<&Entry>) -> Fault {
        let statement = match at {
            Some(Entry::Kept { new, .. } | Entry::Added { new }) => self.new.get(*new),
            _ => None,
        };
        match statement {
            None => Fault::new(reason, self.cx.after.script.span),
            Some(statement) => {
                let quoted = self.cx.after.quote(statement.span);
                Fault::new(format!("at `{quoted}`: {reason}"), statement.span)
            }
        }
    }
}

fn step_of(entry: Entry) -> Option<usize> {
    match entry {
        Entry::Kept { step, .. } | Entry::Removed { step, .. } => Some(step),
        Entry::Added { .. } => None,
    }
}

/// The list in `{ …; }`.
fn braced(statement: &Statement) -> Option<&[Statement]> {
    let is_plain = !statement.negated && statement.redirects.is_empty();
    match &statement.node {
        Node::Compound(Compound {
            kind: CompoundKind::Group,
            ..
        }) if is_plain => lists(statement).first().copied(),
        _ => None,
    }
}

/// A simple command without `!`, whose output goes to nobody.
fn quiet(statement: &Statement) -> Option<&crate::syntax::shell::Command> {
    let command = statement.command().filter(|_| !statement.negated)?;
    let is_quiet = |redirect: &Redirect| {
        let target = redirect.target.literal.as_deref();
        matches!(target, Some("/dev/null" | "1" | "2"))
    };
    let assigns = command.assignments.iter();
    let is_plain = assigns.clone().all(|word| word.substitutions.is_empty());
    let is_bare = is_plain && command.redirects.iter().all(is_quiet);
    is_bare.then_some(command)
}

/// A simple command without assignments, redirects or `!`.
fn simple(statement: &Statement) -> Option<&crate::syntax::shell::Command> {
    let command = statement.command().filter(|_| !statement.negated)?;
    let is_bare = command.assignments.is_empty() && command.redirects.is_empty();
    is_bare.then_some(command)
}
