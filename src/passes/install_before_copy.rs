//! Installs of system packages move above the COPY of the source, so that an edit of the source does not run them again.
//!
//! An install moves only over what is proven to leave it alone: COPYs to directories of the application, WORKDIR, and
//! instructions that run nothing. It takes the ENVs, ARGs and WORKDIRs in front of it along, and never passes a RUN.

mod copy;
mod step;

use serde::Deserialize;

use crate::pass::moves;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext, later};
use crate::syntax::{Instruction, Keyword};
use crate::text::Span;
use step::{Found, System};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstallBeforeCopy {
    /// Endings of files that change with the source.
    source: Vec<String>,
    /// Directories that package managers or scripts of packages read or write.
    system: Vec<String>,
    /// Directories among them that applications have for themselves.
    free: Vec<String>,
    /// Directories that some packages write to.
    shared: Vec<Shared>,
    /// Commands that install what belongs to the system without a package manager.
    installers: Vec<Vec<String>>,
    /// Commands beside them that know nothing of the copied files.
    beside: Vec<Vec<String>>,
    /// What may be deleted.
    scratch: Vec<String>,
    /// Options of package managers that name files, or let files be named.
    local: Vec<String>,
    /// Endings of packages that are files.
    files: Vec<String>,
    /// Variables in which directories are named where programs are looked for.
    paths: Vec<String>,
}

/// A directory that some packages write to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    directory: String,
    /// By name or pattern.
    packages: Vec<String>,
}

impl Pass for InstallBeforeCopy {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            let copies = stage.steps.iter().any(|step| self.is_source(cx, step));
            if copies {
                Walk::new(self, cx, stage).run(out);
            }
        }
    }
}

/// A stage whose installs move up one after another.
struct Walk<'w, 'a> {
    pass: &'w InstallBeforeCopy,
    cx: &'w PassContext<'a>,
    stage: &'w Stage<'a>,
    /// The steps in their new order.
    order: Vec<usize>,
}

/// A place that a step can move up to.
struct Climb {
    /// Its new place in the order.
    to: usize,
    /// The ENVs and ARGs between, which go along.
    along: Vec<usize>,
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(pass: &'w InstallBeforeCopy, cx: &'w PassContext<'a>, stage: &'w Stage<'a>) -> Self {
        Self {
            pass,
            cx,
            stage,
            order: (0..stage.steps.len()).collect(),
        }
    }

    fn run(mut self, out: &mut Findings) {
        let mut declined: Vec<(Span, String)> = Vec::new();
        let mut installs = Vec::new();
        let mut at = 0;
        while at < self.stage.steps.len() {
            let span = shown_span(self.stage.steps[at].instruction);
            match self.pass.read(self.cx, &self.stage.steps[at]) {
                Found::Nothing => at += 1,
                Found::Other(reason) => {
                    if self.is_behind_source(at) {
                        declined.push((span, reason));
                    }
                    at += 1;
                }
                Found::System(_) => {
                    let group = self.group(at);
                    at += group.len().max(1);
                    match self.climb(&group) {
                        Ok(0) => {}
                        Ok(count) => installs.extend(group.into_iter().take(count)),
                        Err(reason) => declined.push((span, reason)),
                    }
                }
            }
        }
        self.report(&installs, out);
        for (span, reason) in declined {
            out.decline(span, reason);
        }
    }

    /// The steps from `at` on that only call package managers of the distribution, one behind the other.
    fn group(&self, at: usize) -> Vec<(usize, System)> {
        let rest = self.stage.steps.iter().enumerate().skip(at);
        let systems = rest.map_while(|(index, step)| match self.pass.read(self.cx, step) {
            Found::System(system) => Some((index, system)),
            _ => None,
        });
        systems.collect()
    }

    /// Moves as many steps of the group as can go, and no update of the package lists without the install behind it.
    /// How many have gone.
    fn climb(&mut self, group: &[(usize, System)]) -> Result<usize, String> {
        let mut order = self.order.clone();
        let mut count = 0;
        for (done, (index, system)) in group.iter().enumerate() {
            // What the working directory was is best kept; where a COPY needs another one, it is not.
            let climb = self.place(&order, *index, system, true);
            let climb = climb.or_else(|_| self.place(&order, *index, system, false));
            let climb = match climb {
                Ok(Some(climb)) => climb,
                Ok(None) => return Ok(count),
                Err(reason) if count == 0 && group.iter().any(|(_, one)| one.installs) => {
                    return Err(reason);
                }
                Err(_) => return Ok(count),
            };
            let block: Vec<usize> = climb.along.iter().copied().chain([*index]).collect();
            order.retain(|step| !block.contains(step));
            order.splice(climb.to..climb.to, block);
            let alone = group[..=done].iter().all(|(_, one)| !one.installs);
            if !alone && !system.only_updates {
                self.order.clone_from(&order);
                count = done + 1;
            }
        }
        Ok(count)
    }

    /// How far up a step can go, with or without the WORKDIRs in front of it; `None` where nothing is won.
    fn place(
        &self,
        order: &[usize],
        index: usize,
        system: &System,
        with_directory: bool,
    ) -> Result<Option<Climb>, String> {
        let steps = &self.stage.steps;
        let from = order.iter().position(|step| *step == index);
        let from = from.unwrap_or_default();
        let mut along: Vec<usize> = Vec::new();
        let mut best = None;
        for to in (0..from).rev() {
            let passed = &steps[order[to]];
            let keyword = passed.instruction.keyword;
            let is_directory = with_directory && keyword == Keyword::Workdir;
            if is_directory || matches!(keyword, Keyword::Env | Keyword::Arg) {
                self.keeps_places(index, passed)?;
                along.insert(0, order[to]);
                continue;
            }
            let apart = self.pass.may_pass(self.cx, &steps[index], system, passed);
            let apart = apart.and_then(|()| self.keeps_places(index, passed));
            let apart = apart.and_then(|()| {
                let mut setters = along.iter().map(|step| &steps[*step]);
                setters.try_for_each(|setter| self.needs_nothing_of(passed, setter))
            });
            if let Err(reason) = apart {
                let mut above = order[..=to].iter().map(|step| &steps[*step]);
                // A COPY of source that stays above runs the install again as ever.
                return match above.any(|step| self.pass.is_source(self.cx, step)) {
                    true => Err(reason),
                    false => Ok(best),
                };
            }
            let copies = matches!(keyword, Keyword::Copy | Keyword::Add);
            if copies && (best.is_some() || self.pass.is_source(self.cx, passed)) {
                let along = along.clone();
                best = Some(Climb { to, along });
            }
        }
        Ok(best)
    }

    /// Where the working directory moves, all COPYs behind it must be seen to go where they went.
    fn keeps_places(&self, index: usize, passed: &Step<'_>) -> Result<(), String> {
        let mut behind = self.stage.steps.iter().skip(index);
        let is_lost = |step: &Step<'_>| {
            matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add)
                && copy::place(self.cx, step).is_none()
        };
        match passed.instruction.keyword == Keyword::Workdir && behind.any(is_lost) {
            true => Err("where a COPY behind the install goes is not known".to_owned()),
            false => Ok(()),
        }
    }

    /// Whether `setter`, which stands behind `passed`, may go in front of it; if not, why.
    fn needs_nothing_of(&self, passed: &Step<'_>, setter: &Step<'_>) -> Result<(), String> {
        let (keyword, used) = (setter.instruction.keyword, passed.instruction.keyword);
        let needs = match keyword {
            Keyword::Workdir => !copy::keeps_place(self.cx, passed, setter),
            _ => self.names(passed, setter.instruction),
        };
        match needs {
            true => Err(format!("{used} may need what {keyword} behind it sets")),
            false => Ok(()),
        }
    }

    /// Whether the text of a step may name what `setter` sets.
    fn names(&self, step: &Step<'_>, setter: &Instruction) -> bool {
        let text = String::from_utf8_lossy(step.instruction.span.of(self.cx.text));
        let words = setter.words().iter().map(|word| word.text.as_str());
        let keys = setter.pairs().iter().map(|pair| pair.key.text.as_str());
        let names = words.chain(keys);
        let mut names = names.map(|name| name.split('=').next().unwrap_or(name));
        text.contains('$') && names.any(|name| name.contains('$') || text.contains(name))
    }

    fn is_behind_source(&self, at: usize) -> bool {
        let mut before = self.stage.steps[..at].iter();
        before.any(|step| self.pass.is_source(self.cx, step))
    }

    fn report(&self, installs: &[(usize, System)], out: &mut Findings) {
        let Some((first, _)) = installs.first() else {
            return;
        };
        let steps = &self.stage.steps;
        // What is passed moves down, so that the installs stay where rules to come find them.
        let mut moves: Vec<(&Instruction, &Instruction)> = Vec::new();
        let mut kept = None;
        for (at, step) in self.order.iter().enumerate() {
            let instruction = steps[*step].instruction;
            let mut above = self.order[..at].iter();
            match (above.any(|other| other > step), kept) {
                (true, Some(kept)) => moves.push((instruction, kept)),
                _ => kept = Some(instruction),
            }
        }
        let copy = self.passed(*first);
        let shown = copy.map_or_else(String::new, |copy| self.shown(copy));
        let message = format!("each edit of what `{shown}` copies runs the install again");
        let fix = self.cx.fix("install first", moves::edits(self.cx, &moves));
        let span = shown_span(steps[*first].instruction);
        out.report(moves::spoken_of(self.cx, &moves, span), message, fix);
    }

    /// The last COPY of source that step `index` has passed.
    fn passed(&self, index: usize) -> Option<&'w Instruction> {
        let mut before = self.stage.steps[..index].iter().rev();
        before
            .find(|step| self.pass.is_source(self.cx, step))
            .map(|step| step.instruction)
    }

    fn shown(&self, instruction: &Instruction) -> String {
        let text = self.cx.shown(shown_span(instruction));
        later::shortened(&text)
    }
}

impl InstallBeforeCopy {
    /// Whether an install does the same in front of `passed`, and `passed` the same behind it; if not, why.
    fn may_pass(
        &self,
        cx: &PassContext<'_>,
        install: &Step<'_>,
        system: &System,
        passed: &Step<'_>,
    ) -> Result<(), String> {
        use Keyword as K;
        let keyword = passed.instruction.keyword;
        match keyword {
            K::Copy | K::Add | K::Workdir => self.is_aside(cx, install, system, passed),
            K::Label
            | K::Maintainer
            | K::Expose
            | K::Stopsignal
            | K::Cmd
            | K::Entrypoint
            | K::Healthcheck => Ok(()),
            K::Run => {
                let shown = later::shortened(&cx.shown(shown_span(passed.instruction)));
                Err(format!(
                    "`{shown}` stands before the install, which may need what that does"
                ))
            }
            _ => Err(format!("{keyword} stands between the COPY and the install")),
        }
    }
}
