//! The instructions of a stage, in order: each as it was, but for what the effects let come, go, change and move.

use std::collections::HashMap;

use super::later::Place;
use super::modes::{self, Outcome};
use super::order::{self, Mover};
use super::{
    Allowed, Fault, Side, Verdict, config, copies, instruction, parts, prefetch, prune, runs,
    unused,
};
use crate::model::Step;
use crate::rule::Effect;
use crate::syntax::Keyword;
use crate::text::Span;

/// Compares the steps of a stage.
pub(super) fn compare(
    before: &Side<'_>,
    old: &[Step<'_>],
    after: &Side<'_>,
    stage: usize,
    allowed: Allowed<'_>,
) -> Verdict {
    let new = runs::steps_of(&after.model, stage);
    let mut walk = Walk {
        before,
        after,
        stage,
        allowed,
        old,
        new,
        taken: vec![false; old.len()],
        first: 0,
        places: None,
        jumps: 16 * (old.len() + new.len()) + 1024,
        copied: Vec::new(),
        shifted: false,
        given: Vec::new(),
    };
    for (at, step) in new.iter().enumerate() {
        walk.step(at)?;
        if matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add) {
            walk.copied.push(at);
        }
    }
    walk.rest()
}

struct Walk<'a, 'b, 'f, 'e> {
    before: &'a Side<'b>,
    after: &'a Side<'f>,
    stage: usize,
    allowed: Allowed<'e>,
    old: &'a [Step<'b>],
    new: &'a [Step<'f>],
    /// The steps before the patch that were found after it; all before `first` were.
    taken: Vec<bool>,
    first: usize,
    /// Where steps of a given text stand before the patch; read once one has moved.
    places: Option<HashMap<Vec<u8>, Vec<usize>>>,
    /// How many steps may still be passed over, so that the walk stays linear.
    jumps: usize,
    /// The COPYs after the patch that were found, or are part of one that is still to come.
    copied: Vec<usize>,
    /// Whether the working directory of some step may not be what it was.
    shifted: bool,
    /// Steps after the patch that give an owner or mode that a RUN gave, which is still to come.
    given: Vec<usize>,
}

impl<'a, 'b, 'f> Walk<'a, 'b, 'f, '_> {
    /// Finds what step `at` after the patch was.
    fn step(&mut self, at: usize) -> Verdict {
        let new = &self.new[at];
        loop {
            let head = self.head();
            if self.gives(&head, at) {
                self.given.push(at);
                self.taken[head[0]] = true;
                return Ok(());
            }
            match self.settle(&head, at)? {
                Some(Outcome::Shorter) => return Ok(()),
                Some(Outcome::Gone) => continue,
                None => {}
            }
            let fault = match self.compare(&head, at) {
                Ok(count) => {
                    head.iter()
                        .take(count)
                        .for_each(|index| self.taken[*index] = true);
                    return Ok(());
                }
                Err(fault) => fault,
            };
            if let Some(index) = head.first().filter(|index| self.may_go(**index)) {
                self.taken[*index] = true;
                continue;
            }
            let old = head.first().map(|index| &self.old[*index]);
            if let Some(moved) = self.moved(at)? {
                self.taken[moved] = true;
                return Ok(());
            }
            if self.allowed.has(&Effect::Sources) && self.is_part(at) {
                return Ok(());
            }
            if self.allowed.has(&Effect::Prefetch) && self.is_prefetch(at) {
                return Ok(());
            }
            let stage = &self.after.model.stages[self.stage];
            let is_last = old.is_none() && self.allowed.has(&Effect::Prune);
            if is_last && prune::is_prune(stage, at) {
                return prune::is_needed_by_none(self.after, stage);
            }
            let keys = old.map(|old| config::key(old.instruction.keyword));
            let (was, is) = (keys.flatten(), config::key(new.instruction.keyword));
            let may = |key: Option<&'static str>| key.filter(|key| self.allowed.config(key));
            // Where an author moves into a label, the author arrives and other labels stay.
            let moves_author = self.allowed.config("author") && self.allowed.config("labels");
            match (may(was), may(is)) {
                (Some("author"), Some("labels")) => {
                    let Some(old) = old else { return Err(fault) };
                    config::names_the_author(
                        (old, self.before),
                        (new, self.after),
                        self.place(at),
                    )?;
                    self.taken[head[0]] = true;
                    return Ok(());
                }
                (Some("labels"), Some("labels")) if moves_author => return Err(fault),
                (Some(was), Some(is)) if was == is => {
                    let Some(old) = old else { return Err(fault) };
                    config::may_change((old, self.before), (new, self.after), self.place(at))?;
                    self.taken[head[0]] = true;
                    return Ok(());
                }
                (Some("author" | "labels"), _) if moves_author => return Err(fault),
                (Some(key), _) => {
                    config::is_read_by_nobody(key, self.place(at))?;
                    self.taken[head[0]] = true;
                }
                (None, Some(_)) => return config::may_come((new, self.after), self.place(at)),
                (None, None) => return Err(fault),
            }
        }
    }

    /// The steps before the patch that are next: the first one, and what follows without a gap.
    fn head(&mut self) -> Vec<usize> {
        while self.taken.get(self.first) == Some(&true) {
            self.first += 1;
        }
        let rest = (self.first..self.old.len()).take_while(|index| !self.taken[*index]);
        let is_run = |index: &usize| self.old[*index].instruction.keyword == Keyword::Run;
        match self.old.get(self.first) {
            None => Vec::new(),
            Some(_) if is_run(&self.first) => rest.take_while(is_run).take(MOST_JOINED).collect(),
            Some(_) => rest.take(2).collect(),
        }
    }

    /// Whether step `at` gives an owner or mode that the step before the patch did not.
    fn gives(&self, head: &[usize], at: usize) -> bool {
        let old = head.first().map(|index| &self.old[*index]);
        let new = (&self.new[at], self.after);
        let gives = old.is_some_and(|old| copies::given((old, self.before), new).is_some());
        gives && self.allowed.has(&Effect::CopyMode)
    }

    /// The RUN at the head gave what COPYs give now: what becomes of it.
    fn settle(&mut self, head: &[usize], at: usize) -> Result<Option<Outcome>, Fault> {
        let Some(index) = head.first().copied().filter(|_| !self.given.is_empty()) else {
            return Ok(None);
        };
        let old = &self.old[index];
        if matches!(old.instruction.keyword, Keyword::Copy | Keyword::Add) {
            return Ok(None);
        }
        let after = modes::After {
            side: self.after,
            steps: self.new,
            at,
            given: &self.given,
        };
        let outcome = modes::settle(self.before, old, &after)?;
        self.taken[index] = true;
        self.given.clear();
        Ok(Some(outcome))
    }

    fn place(&self, at: usize) -> Place<'_> {
        Place {
            side: self.after,
            stage: self.stage,
            step: at,
        }
    }

    /// How many of the steps at the head step `at` after the patch is.
    fn compare(&self, head: &[usize], at: usize) -> Result<usize, Fault> {
        let new = &self.new[at];
        let steps: Vec<&Step<'_>> = head.iter().map(|index| &self.old[*index]).collect();
        let Some(old) = steps.first() else {
            let keyword = new.instruction.keyword;
            return Err(Fault::new(
                format!("{keyword} is added"),
                new.instruction.span,
            ));
        };
        let (ours, theirs) = (old.instruction, new.instruction);
        if ours.keyword == Keyword::Run && theirs.keyword == Keyword::Run {
            return runs::compare(self.before, &steps, self.place(at), new, self.allowed);
        }
        let sides = ((ours, self.before), (theirs, self.after));
        let same = instruction::same(sides.0, sides.1);
        if self.shifted && matches!(ours.keyword, Keyword::Copy | Keyword::Add) && same.is_ok() {
            let places = (
                copies::destination((old, self.before)),
                copies::destination((new, self.after)),
            );
            let workdirs = (old.before.workdir(), new.before.workdir());
            let is_same = match places {
                (Some(was), Some(is)) => was == is,
                // A variable that is not known is the same one, and leads to the same place from the same directory.
                (None, None) => workdirs.0.is_some() && workdirs.0 == workdirs.1,
                _ => false,
            };
            return match is_same {
                true => Ok(1),
                false => Err(Fault::new(
                    format!("{} copies to another directory", theirs.keyword),
                    theirs.span,
                )),
            };
        }
        let Err(fault) = same else {
            return Ok(1);
        };
        if copies::have_same_places((old, self.before), (new, self.after)) {
            return Ok(1);
        }
        if ours.keyword == Keyword::Onbuild && theirs.keyword == Keyword::Onbuild {
            return runs::compare_triggers(self.before, old, self.place(at), new, self.allowed)
                .map(|()| 1);
        }
        Err(fault)
    }

    /// The step that stands further down before the patch and is step `at` now, where it may pass what is between.
    fn moved(&mut self, at: usize) -> Result<Option<usize>, Fault> {
        if !self.allowed.has(&Effect::Order) {
            return Ok(None);
        }
        let (before, old) = (self.before, self.old);
        let places = self.places.get_or_insert_with(|| {
            let mut places: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
            for (index, step) in old.iter().enumerate() {
                places
                    .entry(order::text(step, before))
                    .or_default()
                    .push(index);
            }
            places
        });
        let new = &self.new[at];
        let found = places.get(&order::text(new, self.after));
        let taken = &self.taken;
        let Some(from) = found.and_then(|all| all.iter().copied().find(|index| !taken[*index]))
        else {
            return Ok(None);
        };
        if !instruction::is_same_text(
            (self.old[from].instruction, before),
            (new.instruction, self.after),
        ) {
            return Ok(None);
        }
        let (mover, keyword) = (self.mover(at), new.instruction.keyword);
        for index in (self.first..from).filter(|index| !self.taken[*index]) {
            self.jumps = self.jumps.saturating_sub(1);
            let passed = self.old[index].instruction;
            if self.jumps == 0 || !mover.may_pass((&self.old[index], self.before)) {
                let reason = format!(
                    "{keyword} is moved over {}, on which it may depend",
                    passed.keyword
                );
                return Err(Fault::new(reason, new.instruction.span));
            }
            self.shifted |= keyword == Keyword::Workdir || passed.keyword == Keyword::Workdir;
        }
        if matches!(keyword, Keyword::Copy | Keyword::Add) {
            self.compare(&[from], at)?;
        }
        Ok(Some(from))
    }

    /// Step `at` after the patch, with the last of the COPYs in front of it.
    fn mover(&self, at: usize) -> Mover<'a, 'f> {
        Mover::new((&self.new[at], self.after), self.last_copied())
    }

    fn last_copied(&self) -> Vec<(&'a Step<'f>, &'a Side<'f>)> {
        let last = self.copied.iter().rev().take(MOST_JOINED);
        last.map(|copy| (&self.new[*copy], self.after)).collect()
    }

    /// Whether step `at` is added and only fetches what a later one installs.
    fn is_prefetch(&mut self, at: usize) -> bool {
        let (new, later) = (&self.new[at], &self.new[at + 1..]);
        if new.instruction.keyword != Keyword::Run {
            return false;
        }
        self.jumps = self.jumps.saturating_sub(MOST_JOINED);
        let step = (new, self.after);
        self.jumps > 0 && prefetch::is_prefetch(step, &self.last_copied(), later)
    }

    /// Whether step `at` copies part of what a COPY that is still to come copies, to where that puts it.
    fn is_part(&self, at: usize) -> bool {
        let rest = self
            .old
            .iter()
            .enumerate()
            .skip(self.first)
            .take(MOST_JOINED);
        let mover = self.mover(at);
        let part = (&self.new[at], self.after);
        if part.0.instruction.keyword != Keyword::Copy {
            return false;
        }
        for (_, old) in rest.filter(|(index, _)| !self.taken[*index]) {
            let old = (old, self.before);
            if parts::is_part_of(part, old) {
                return true;
            }
            if !mover.may_pass(old) {
                break;
            }
        }
        false
    }

    /// Whether a step before the patch is a COPY that nothing reads.
    fn may_go(&self, index: usize) -> bool {
        self.allowed.has(&Effect::UnusedCopies)
            && unused::may_go((self.before, self.stage), self.old, index)
    }

    /// What is left of the steps before the patch must be allowed to go.
    fn rest(&mut self) -> Verdict {
        let head = self.head();
        self.settle(&head, self.new.len())?;
        if let Some(copy) = self.given.first().and_then(|copy| self.new.get(*copy)) {
            let reason = "a COPY gives an owner or mode that nothing gave";
            return Err(Fault::new(reason, copy.instruction.span));
        }
        for (index, old) in self.old.iter().enumerate().skip(self.first) {
            if self.taken[index] {
                continue;
            }
            let keyword = old.instruction.keyword;
            if self.may_go(index) {
                continue;
            }
            let moves_author = matches!(keyword, Keyword::Maintainer | Keyword::Label)
                && self.allowed.config("author")
                && self.allowed.config("labels");
            let may_go = |key: &&str| self.allowed.config(key) && !config::starts_image(key);
            let key = config::key(keyword).filter(|key| may_go(key) && !moves_author);
            if key.is_none() {
                let text = String::from_utf8_lossy(old.instruction.args_text()).into_owned();
                let text: String = text.chars().take(40).collect();
                let end = self.new.last().map_or(0, |last| last.instruction.span.end);
                return Err(Fault::new(
                    format!("`{keyword} {text}` is gone"),
                    Span::at(end),
                ));
            }
        }
        Ok(())
    }
}

/// No more RUNs than these are looked at for one step, and no more COPYs for a part of one.
const MOST_JOINED: usize = 64;
