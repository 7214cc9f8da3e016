//! The steps of a file by stage, with the shell scripts of RUNs where those can be read.

use crate::model::script::Opaque;
use crate::model::state::State;
use crate::model::{self, Base, Model};
use crate::syntax::Instruction;
use crate::syntax::Keyword;
use crate::syntax::shell::Script;
use crate::text::Span;

/// A build stage as passes see it.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The stage itself.
    pub model: &'a model::Stage<'a>,
    /// The stage that it is built on, where that is one of this file.
    pub base: Option<usize>,
    /// Whether its layers reach a final image.
    pub ships: bool,
    /// All that follows FROM, in order.
    pub steps: Vec<Step<'a>>,
}

/// An instruction of a stage.
#[derive(Debug)]
pub struct Step<'a> {
    /// The instruction.
    pub instruction: &'a Instruction,
    /// What it finds.
    pub before: &'a State,
    source: (&'a Model<'a>, &'a model::Step<'a>),
}

impl<'a> Step<'a> {
    /// Whether this is a RUN.
    pub fn is_run(&self) -> bool {
        self.instruction.keyword == Keyword::Run
    }

    /// The script of a RUN that can be read.
    pub fn script(&self) -> Option<&'a Script> {
        self.read().ok()
    }

    /// Why the commands of a RUN are not known; `None` where they are, and for other instructions.
    pub fn opaque(&self) -> Option<Opaque> {
        let why = self.read().err()?;
        (why != Opaque::NotRun).then_some(why)
    }

    /// Where its files come from besides the build context and the stage itself.
    pub fn sources(&self) -> &'a [Base] {
        &self.source.1.sources
    }

    fn read(&self) -> Result<&'a Script, Opaque> {
        let (model, step) = self.source;
        model.script(step)
    }

    /// Whether a cache, bind or tmpfs mount of the step lies at, above or below `path`.
    pub fn mounts_over(&self, path: &str) -> bool {
        let flags = self.instruction.flags.iter();
        let mounts = flags.filter(|flag| flag.name == "mount");
        let targets = mounts.filter_map(|flag| mount_target(flag.value.as_deref()?));
        let path = path.trim_end_matches('/');
        targets.into_iter().any(|target| {
            let target = target.trim_end_matches('/');
            let below = |inner: &str, outer: &str| {
                inner
                    .strip_prefix(outer)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            target.contains('$') || below(target, path) || below(path, target)
        })
    }

    /// The same for a cache, where `~` is the home of whoever runs the step.
    pub fn mounts_over_cache(&self, cache: &str) -> bool {
        let Some(below_home) = cache.strip_prefix('~') else {
            return self.mounts_over(cache);
        };
        let parents = below_home.match_indices('/').skip(1);
        let parents = parents.map(|(at, _)| &below_home[..at]);
        let paths: Vec<&str> = parents.chain([below_home]).collect();
        let homes = self.instruction.flags.iter().any(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            paths.iter().any(|path| value.contains(path))
        });
        homes || self.mounts_over(&format!("/root{below_home}"))
    }
}

fn mount_target(value: &str) -> Option<String> {
    let fields = crate::syntax::csv_fields(value)?;
    fields.iter().find_map(|field| {
        let (key, value) = field.split_once('=')?;
        let names = ["target", "dst", "destination"];
        names
            .contains(&key.to_ascii_lowercase().as_str())
            .then(|| value.to_owned())
    })
}

/// The stages of a file.
pub fn stages<'a>(model: &'a Model<'a>) -> Vec<Stage<'a>> {
    let step = |one: &'a model::Step<'a>| Step {
        instruction: one.instruction,
        before: &one.before,
        source: (model, one),
    };
    let stage = |one: &'a model::Stage<'a>| Stage {
        model: one,
        base: match one.base {
            Base::Stage(base) => Some(base),
            _ => None,
        },
        ships: one.ships,
        steps: one.steps.iter().map(step).collect(),
    };
    model.stages.iter().map(stage).collect()
}

/// The span of an instruction without its line ending: what a finding about all of it points at.
pub fn shown_span(instruction: &Instruction) -> Span {
    Span::new(
        instruction.keyword_span.start,
        instruction.args_span.end.max(instruction.keyword_span.end),
    )
}
