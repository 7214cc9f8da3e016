//! What changes with each build moves below the steps that do not need it: an ARG such as `GIT_SHA`, and the ENVs and
//! LABELs that are made of it.
//!
//! Only RUNs are won: an ARG is part of the key of every RUN behind it. A LABEL is part of none, and stays where it is
//! unless its ARG moves. Never moves over a RUN that names the variable, or that may read it unnamed.

mod reader;

use serde::Deserialize;

use crate::pass::moves;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext, later};
use crate::rule::Applicability;
use crate::syntax::{Instruction, Keyword};
use crate::text::contains;
use reader::Reads;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VolatileLast {
    /// Names of ARGs that change with each build, by name or pattern.
    names: Vec<String>,
    /// Parts of a name that say the same of the ENVs that are made of them.
    parts: Vec<String>,
    /// How the variables start that programs look for.
    programs: Vec<String>,
    /// Commands that read no variables but those that their words name.
    plain: Vec<String>,
}

impl Pass for VolatileLast {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            let mut moves = Vec::new();
            let one = OfStage {
                pass: self,
                cx,
                stage,
            };
            for at in 0..stage.steps.len() {
                match one.look(at) {
                    Some(Ok(found)) => moves.push(found),
                    Some(Err(reason)) => {
                        out.decline(shown_span(stage.steps[at].instruction), reason);
                    }
                    None => {}
                }
            }
            one.report(&moves, out);
        }
    }
}

struct OfStage<'w, 'a> {
    pass: &'w VolatileLast,
    cx: &'w PassContext<'a>,
    stage: &'w Stage<'a>,
}

/// An ARG that moves.
struct Sink {
    at: usize,
    /// The step behind which it goes.
    behind: usize,
    /// The ENVs and LABELs above that which are made of it.
    users: Vec<usize>,
    /// How many RUNs it passes.
    runs: usize,
    /// Whether one of them may run what reads any variable.
    doubt: bool,
}

impl OfStage<'_, '_> {
    /// How far down the step can go, if it is an ARG that changes with each build; `None` where nothing is won.
    fn look(&self, at: usize) -> Option<Result<Sink, String>> {
        let steps = &self.stage.steps;
        let arg = steps[at].instruction;
        let names = reader::names(arg).filter(|_| arg.keyword == Keyword::Arg)?;
        let is_listed = |name: &String| {
            let mut patterns = self.pass.names.iter();
            patterns.any(|pattern| reader::matches_name(pattern, name))
        };
        let listed = names.iter().filter(|name| is_listed(name)).count();
        let mut runs = steps[at..].iter().filter(|step| step.is_run()).peekable();
        if listed == 0 || runs.peek().is_none() {
            return None;
        }
        if listed < names.len() {
            return Some(Err("the ARG declares other variables too".to_owned()));
        }
        let set = match self.made_of(at, names) {
            Ok(set) => set,
            Err(reason) => return Some(Err(reason)),
        };
        if set.users.is_empty() {
            let reason = "no ENV or LABEL is made of it: a script may read it";
            return Some(Err(reason.to_owned()));
        }
        self.sink(at, &set)
    }

    /// The ENVs and LABELs that are made of what step `at` declares.
    fn made_of(&self, at: usize, names: Vec<String>) -> Result<Set, String> {
        let mut set = Set {
            names,
            users: Vec::new(),
        };
        for (index, step) in self.stage.steps.iter().enumerate().skip(at + 1) {
            let instruction = step.instruction;
            let keyword = instruction.keyword;
            if !matches!(keyword, Keyword::Env | Keyword::Label | Keyword::Arg) {
                continue;
            }
            let expands = self.expands(step, &set.names);
            if keyword == Keyword::Label {
                if expands {
                    set.users.push(index);
                }
                continue;
            }
            let own = reader::names(instruction).ok_or("a name depends on a variable")?;
            if !expands && !own.iter().any(|name| set.names.contains(name)) {
                continue;
            }
            let values = instruction.pairs().iter().map(|pair| &pair.value.text);
            let is_made = |text: &String| text.contains('$') && set.is_named_in(text.as_bytes());
            if keyword == Keyword::Arg || !values.clone().all(is_made) {
                return Err(format!("`{}` stands behind it", self.shown(instruction)));
            }
            if let Some(name) = own.iter().find(|name| !self.is_stamp(name)) {
                return Err(format!("`{name}`, which is made of it, may be read"));
            }
            set.users.push(index);
            set.names.extend(own);
        }
        Ok(set)
    }

    fn sink(&self, at: usize, set: &Set) -> Option<Result<Sink, String>> {
        let steps = &self.stage.steps;
        let mut sink = Sink {
            at,
            behind: at,
            users: Vec::new(),
            runs: 0,
            doubt: false,
        };
        let (mut runs, mut doubt) = (0, false);
        let mut stopped = None;
        for (index, step) in steps.iter().enumerate().skip(at + 1) {
            if set.users.contains(&index) {
                continue;
            }
            match self.may_pass(step, set) {
                Ok(unsure) => doubt |= unsure,
                Err(reason) => {
                    // In front of the RUN that needs it, it is in its place.
                    let needs =
                        step.is_run() && set.is_named_in(step.instruction.span.of(self.cx.text));
                    stopped = Some(reason).filter(|_| !needs);
                    break;
                }
            }
            runs += usize::from(step.is_run());
            let is_step = matches!(
                step.instruction.keyword,
                Keyword::Run | Keyword::Copy | Keyword::Add
            );
            if is_step && runs > 0 {
                (sink.behind, sink.runs, sink.doubt) = (index, runs, doubt);
            }
        }
        match (sink.runs, stopped) {
            (0, Some(reason)) => Some(Err(reason)),
            (0, None) => None,
            _ => {
                let above = set.users.iter().filter(|user| **user < sink.behind);
                sink.users.extend(above);
                Some(self.keeps_values(&sink).map(|()| sink))
            }
        }
    }

    /// Whether the variables may be set below `step` instead of above it, and whether that is unsure; if not, why.
    fn may_pass(&self, step: &Step<'_>, set: &Set) -> Result<bool, String> {
        use Keyword as K;
        let instruction = step.instruction;
        let stands = || format!("`{}` stands behind it", self.shown(instruction));
        match instruction.keyword {
            K::Run if set.is_named_in(instruction.span.of(self.cx.text)) => {
                Err(format!("`{}` names the variable", self.shown(instruction)))
            }
            K::Run => match self.pass.reads(step) {
                Reads::Nothing => Ok(false),
                Reads::Perhaps if set.names.iter().all(|name| self.is_stamp(name)) => Ok(true),
                Reads::Perhaps | Reads::Anything => Err(format!(
                    "`{}` may read the variable",
                    self.shown(instruction)
                )),
            },
            K::Cmd | K::Entrypoint | K::Healthcheck | K::Shell | K::Maintainer => Ok(false),
            K::Onbuild | K::Volume => Err(stands()),
            K::Workdir if self.hides_a_place(step) => Err(stands()),
            _ if self.expands(step, &set.names) => Err(stands()),
            _ => Ok(false),
        }
    }

    /// Whether a COPY behind a WORKDIR goes to where nobody can tell.
    fn hides_a_place(&self, workdir: &Step<'_>) -> bool {
        let start = workdir.instruction.span.start;
        let steps = self.stage.steps.iter();
        let mut copies = steps.filter(|step| {
            matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add)
                && step.instruction.span.start > start
        });
        copies.any(|copy| {
            let word = copy.instruction.words().last();
            let escape = self.cx.file.escape.byte();
            let path = word.and_then(|word| copy.before.expand(&word.text, escape).ok());
            path.and_then(|path| copy.before.absolute(&path)).is_none()
        })
    }

    /// Whether what moves has the values that it had, and no label that it sets is set again on the way.
    fn keeps_values(&self, sink: &Sink) -> Result<(), String> {
        let steps = &self.stage.steps;
        for moving in sink.users.iter().chain([&sink.at]) {
            let between = steps.iter().enumerate().take(sink.behind + 1);
            let passed = between.skip(moving + 1);
            let passed = passed.filter(|(index, _)| !sink.users.contains(index));
            for (_, step) in passed {
                if self.interferes(&steps[*moving], step) {
                    let shown = self.shown(step.instruction);
                    return Err(format!("`{shown}` stands behind it"));
                }
            }
        }
        Ok(())
    }

    /// Whether `passed` sets what `moving` expands, or a label that it sets too.
    fn interferes(&self, moving: &Step<'_>, passed: &Step<'_>) -> bool {
        use Keyword as K;
        let names = reader::names(passed.instruction);
        match (moving.instruction.keyword, passed.instruction.keyword) {
            (_, K::Env | K::Arg) => names.is_none_or(|names| self.expands(moving, &names)),
            (K::Label, K::Label) => {
                let ours = reader::names(moving.instruction);
                let both = ours.zip(names);
                both.is_none_or(|(ours, theirs)| ours.iter().any(|name| theirs.contains(name)))
            }
            _ => false,
        }
    }

    /// Whether the builder expands one of the variables in a step.
    fn expands(&self, step: &Step<'_>, names: &[String]) -> bool {
        let text = step.instruction.span.of(self.cx.text);
        text.contains(&b'$') && names.iter().any(|name| contains(text, name))
    }

    fn is_stamp(&self, name: &str) -> bool {
        let name = name.to_ascii_uppercase();
        let is_part = |part: &str| self.pass.parts.iter().any(|one| one == part);
        let is_programs = self
            .pass
            .programs
            .iter()
            .any(|start| name.starts_with(start.as_str()));
        !is_programs && name.split('_').any(is_part)
    }

    fn shown(&self, instruction: &Instruction) -> String {
        later::shortened(&self.cx.shown(shown_span(instruction)))
    }

    fn report(&self, sinks: &[Sink], out: &mut Findings) {
        let Some(first) = sinks.first() else { return };
        let steps = &self.stage.steps;
        let mut places: Vec<(usize, usize)> =
            sinks.iter().map(|one| (one.at, one.behind)).collect();
        for sink in sinks {
            for user in &sink.users {
                match places.iter_mut().find(|(at, _)| at == user) {
                    Some((_, behind)) => *behind = sink.behind.max(*behind),
                    None => places.push((*user, sink.behind)),
                }
            }
        }
        places.sort_unstable();
        let moves = places.iter().map(|(at, behind)| {
            let (what, behind) = (steps[*at].instruction, steps[*behind].instruction);
            (what, behind)
        });
        let moves: Vec<(&Instruction, &Instruction)> = moves.collect();
        let names = sinks
            .iter()
            .filter_map(|one| reader::names(steps[one.at].instruction));
        let names: Vec<String> = names.flatten().map(|name| format!("`{name}`")).collect();
        let most = sinks.iter().map(|one| one.runs).max().unwrap_or(0);
        let count = match most {
            1 => "a step".to_owned(),
            _ => format!("{most} steps"),
        };
        let names = names.join(", ");
        let mut message =
            format!("each build has another {names}, and runs {count} again without need");
        let mut fix = self.cx.fix(
            "declare it below the steps that do not need it",
            moves::edits(self.cx, &moves),
        );
        if sinks.iter().any(|one| one.doubt)
            && let Some(fix) = &mut fix
        {
            fix.applicability = fix.applicability.min(Applicability::Unsafe);
            message.push_str("; what they install may read it");
        }
        // The finding speaks of all that moves.
        let last = places.last().map_or(first.at, |(at, _)| *at);
        let span = shown_span(steps[first.at].instruction);
        let span = span.cover(shown_span(steps[last].instruction));
        out.report(moves::spoken_of(self.cx, &moves, span), message, fix);
    }
}

/// Variables that change together, and the steps that are made of them.
struct Set {
    names: Vec<String>,
    users: Vec<usize>,
}

impl Set {
    fn is_named_in(&self, text: &[u8]) -> bool {
        self.names.iter().any(|name| contains(text, name))
    }
}
