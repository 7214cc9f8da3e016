//! The build cache: which steps run again when something of the build changed, and what makes them.
//!
//! BuildKit's rules. RUN, COPY, ADD and WORKDIR are steps; the other instructions run nothing, and count only by what
//! they change for the steps behind them. A step runs again if the step before it did. COPY and ADD are keyed by the
//! files that they take (content and mode, not time); RUN by its text, the state before it with all variables of ARG
//! and ENV, and the content of its bind mounts, not by its caches and secrets. What is taken from another stage is
//! compared by content too, so that a stage that runs again need not change what is taken from it.
//!
//! Nothing here reads the build context ([`ChangedFiles`] does), nor asks whether a base image or a URL changed.

mod inputs;

use std::collections::BTreeMap;

use super::{Base, Model, Stage, Step};
use crate::syntax::Keyword;

pub use inputs::Taken;

/// Which files of the build context changed, as far as steps take them.
pub trait ChangedFiles {
    /// Whether something changed of what a step takes from the build context.
    fn touch(&self, taken: &Taken, step: &Step<'_>) -> Touch;
}

/// Whether a step takes a file that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// It takes none.
    No,
    /// It takes this one.
    Yes(String),
    /// It may take this one.
    Perhaps(String),
}

/// No file changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl ChangedFiles for NoFiles {
    fn touch(&self, _: &Taken, _: &Step<'_>) -> Touch {
        Touch::No
    }
}

/// An instruction of a build: ordered by stage, then as it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The stage's number.
    pub stage: usize,
    /// Its place in the stage: FROM is 0, the triggers of the base follow, then the stage's own instructions.
    pub position: usize,
}

/// What a build makes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It comes from the cache.
    Cached,
    /// It runs, unless what the cause names comes out as it was.
    MayRun(Cause),
    /// It runs.
    Runs(Cause),
}

/// What makes a step run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A file of the build context that it takes changed.
    File(String),
    /// This variable has another value.
    Variable(String),
    /// The user, the working directory or the shell is another one.
    State,
    /// This step runs, the first of those that it stands on. A FROM is the base image, which is another one.
    Step(Place),
    /// It takes files from this stage, of which a step runs.
    Stage(usize),
}

/// How many steps of a build come from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuild {
    /// Steps from the cache.
    pub cached: usize,
    /// Steps that run only if what they take from another stage comes out different.
    pub may_run: usize,
    /// Steps that run.
    pub run: usize,
}

/// The steps of the next build: those of all stages that a target needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forecast {
    /// What becomes of each step. Instructions that are no steps are not in it.
    pub steps: BTreeMap<Place, Fate>,
}

impl Forecast {
    /// The steps counted.
    pub fn rebuild(&self) -> Rebuild {
        let mut counts = Rebuild::default();
        for fate in self.steps.values() {
            match fate {
                Fate::Cached => counts.cached += 1,
                Fate::MayRun(_) => counts.may_run += 1,
                Fate::Runs(_) => counts.run += 1,
            }
        }
        counts
    }
}

impl<'f> Model<'f> {
    /// The next build when `files` changed since the last one.
    pub fn after_change(&self, files: &dyn ChangedFiles) -> Forecast {
        Walk::new(self, self, files).forecast()
    }

    /// The next build when `files` changed and the last one was `last`: the same text with other build arguments.
    pub fn after_build(&self, last: &Model<'f>, files: &dyn ChangedFiles) -> Forecast {
        Walk::new(self, last, files).forecast()
    }

    /// The instruction at `place` with the state before it; `None` for a FROM.
    pub fn step_at(&self, place: Place) -> Option<&Step<'f>> {
        let stage = self.stages.get(place.stage)?;
        stage.built().nth(place.position.checked_sub(1)?)
    }

    /// Whether the builder runs something for an instruction, be it from the cache. WORKDIR makes its directory.
    pub fn is_step(&self, step: &Step<'_>) -> bool {
        match step.instruction.keyword {
            Keyword::Run | Keyword::Copy | Keyword::Add => true,
            Keyword::Workdir => {
                let path = step.instruction.words().first();
                let path = path.and_then(|word| self.value(&word.text, step));
                path.and_then(|path| step.before.absolute(&path)).as_deref() != Some("/")
            }
            _ => false,
        }
    }

    fn value(&self, word: &str, step: &Step<'_>) -> Option<String> {
        step.before.expand(word, self.scope.escape).ok()
    }
}

impl<'f> Stage<'f> {
    /// What is built behind FROM, in order: the triggers of the base, then the stage's own instructions.
    pub fn built(&self) -> impl Iterator<Item = &Step<'f>> {
        self.triggers.iter().chain(&self.steps)
    }
}

/// The first step behind which nothing comes from the cache any more, and whether that is certain.
type Broken = Option<(Place, bool)>;

struct Walk<'m, 'f> {
    model: &'m Model<'f>,
    last: &'m Model<'f>,
    files: &'m dyn ChangedFiles,
    /// What became of each stage so far.
    ends: Vec<Broken>,
}

impl<'m, 'f> Walk<'m, 'f> {
    fn new(model: &'m Model<'f>, last: &'m Model<'f>, files: &'m dyn ChangedFiles) -> Self {
        let ends = Vec::with_capacity(model.stages.len());
        Self {
            model,
            last,
            files,
            ends,
        }
    }

    /// Stages need only what stands above them.
    fn forecast(mut self) -> Forecast {
        let mut forecast = Forecast::default();
        for stage in &self.model.stages {
            let end = if stage.used {
                self.stage(stage, &mut forecast)
            } else {
                None
            };
            self.ends.push(end);
        }
        forecast
    }

    fn stage(&self, stage: &Stage<'f>, forecast: &mut Forecast) -> Broken {
        let place = |position| Place {
            stage: stage.index,
            position,
        };
        let last = self.last.stages.get(stage.index);
        let mut broken = match stage.base {
            Base::Stage(base) => self.end_of(base),
            _ if last.is_some_and(|last| last.base != stage.base) => Some((place(0), true)),
            _ => None,
        };
        let mut last_steps = last.into_iter().flat_map(Stage::built);
        for (position, step) in stage.built().enumerate() {
            let last = last_steps.next();
            if !self.model.is_step(step) {
                continue;
            }
            let place = place(position + 1);
            let fate = self.fate(step, last, broken);
            broken = match (&fate, broken) {
                (_, Some((_, true))) | (Fate::Cached, _) => broken,
                (Fate::Runs(_), _) => Some((place, true)),
                (Fate::MayRun(_), None) => Some((place, false)),
                (Fate::MayRun(_), Some(_)) => broken,
            };
            forecast.steps.insert(place, fate);
        }
        broken
    }

    fn fate(&self, step: &Step<'f>, last: Option<&Step<'f>>, broken: Broken) -> Fate {
        let own = self.own(step, last);
        // Where the engine merges layers, what is linked does not stand on the steps before it.
        let inherited = match broken {
            Some((place, true)) if !is_linked(step) => Fate::Runs(Cause::Step(place)),
            Some((place, _)) => Fate::MayRun(Cause::Step(place)),
            None => Fate::Cached,
        };
        match (own, inherited) {
            (_, Fate::Runs(cause)) | (Fate::Runs(cause), _) => Fate::Runs(cause),
            (_, Fate::MayRun(cause)) => Fate::MayRun(cause),
            (own, Fate::Cached) => own,
        }
    }

    /// What becomes of a step that stands on steps from the cache.
    fn own(&self, step: &Step<'f>, last: Option<&Step<'f>>) -> Fate {
        let differs = last.and_then(|last| self.differs(step, last));
        if let Some(cause) = differs {
            return Fate::Runs(cause);
        }
        let taken = self.model.taken(step);
        let touch = match taken.is_empty() {
            true => Touch::No,
            false => self.files.touch(&taken, step),
        };
        let mut stages = step.sources.iter().filter_map(|base| match base {
            Base::Stage(stage) => Some(*stage),
            _ => None,
        });
        let stage = stages.find(|stage| self.end_of(*stage).is_some());
        match (touch, stage) {
            (Touch::Yes(file), _) => Fate::Runs(Cause::File(file)),
            (Touch::Perhaps(file), _) => Fate::MayRun(Cause::File(file)),
            (Touch::No, Some(stage)) => Fate::MayRun(Cause::Stage(stage)),
            (Touch::No, None) => Fate::Cached,
        }
    }

    fn differs(&self, step: &Step<'f>, last: &Step<'f>) -> Option<Cause> {
        if std::ptr::eq(step, last) {
            return None;
        }
        inputs::differs(self.model, step, last)
    }

    fn end_of(&self, stage: usize) -> Broken {
        self.ends.get(stage).copied().flatten()
    }
}

fn is_linked(step: &Step<'_>) -> bool {
    let flag = step.instruction.flag("link");
    flag.is_some_and(|flag| flag.value.as_deref() != Some("false"))
}

#[cfg(test)]
mod tests;
