//! What a Dockerfile means: its stages and how they build on each other, the state before each step, base images,
//! package managers, and the configuration of the image.
//!
//! Reads the tree only: no shell text is parsed until somebody asks for a step's script, no file of the context is
//! looked at, no registry is asked. What cannot be known is `None`.

pub mod cache;
pub mod config;
pub mod expand;
pub mod image;
pub mod managers;
pub mod mount;
pub mod script;
pub mod state;

mod graph;
mod scope;

use std::collections::{BTreeMap, BTreeSet};

use crate::syntax::{Args, Dockerfile, Instruction, Keyword};
use expand::Lookup;
use graph::Names;
use image::ImageRef;
use scope::Scope;
use state::State;

/// What is known of a build from outside its Dockerfile.
#[derive(Debug, Clone, Default)]
pub struct ModelInput {
    /// Stages that are built as targets, by name (or number, which BuildKit refuses); the last stage always is one.
    pub targets: Vec<String>,
    /// Build arguments that are given, by name.
    pub build_args: BTreeMap<String, String>,
    /// Whether no others are given. If not, an ARG without a default is unknown rather than unset. An ARG with a
    /// default has that value either way.
    pub build_args_complete: bool,
    /// Named contexts, which take the place of stages and images of that name.
    pub contexts: BTreeSet<String>,
}

/// The meaning of a Dockerfile.
#[derive(Debug)]
pub struct Model<'f> {
    /// The stages, in order.
    pub stages: Vec<Stage<'f>>,
    scope: Scope<'f>,
    text: &'f [u8],
}

/// A build stage.
#[derive(Debug)]
pub struct Stage<'f> {
    /// Its number.
    pub index: usize,
    /// Its FROM.
    pub from: &'f Instruction,
    /// Its name, lower case.
    pub name: Option<String>,
    /// What it is built on.
    pub base: Base,
    /// The value of `--platform`, where it is given and known.
    pub platform: Option<String>,
    /// The ONBUILD triggers of the stage that it is built on, which run first.
    pub triggers: Vec<Step<'f>>,
    /// The instructions behind FROM.
    pub steps: Vec<Step<'f>>,
    /// The state behind the last step.
    pub end: State,
    /// Whether its layers reach a final image: it is a target, or one is built on it.
    pub ships: bool,
    /// Whether a target needs it at all: it ships, or something is copied or mounted from it.
    pub used: bool,
}

/// What a stage is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// An earlier stage, by number.
    Stage(usize),
    /// An image.
    Image(ImageRef),
    /// Nothing.
    Scratch,
    /// A name that needs an unknown variable, or a named context.
    Unknown,
}

/// An instruction of a stage, with the state before it.
#[derive(Debug)]
pub struct Step<'f> {
    /// Its number in the stage, FROM not counted; for a trigger, among the triggers.
    pub index: usize,
    /// The instruction.
    pub instruction: &'f Instruction,
    /// What it finds.
    pub before: State,
    /// Where its files come from besides the build context and the stage itself: `COPY --from`, and every
    /// `RUN --mount=from=`, in order.
    pub sources: Vec<Base>,
}

impl<'f> Model<'f> {
    /// The meaning of `file`, whose text is `text`. Linear in the length of the text, save a logarithm.
    pub fn of(file: &'f Dockerfile, text: &'f [u8], input: &'f ModelInput) -> Self {
        let mut scope = Scope::new(file.escape, text.len(), input);
        let mut instructions = file.instructions().peekable();
        while let Some(instruction) = instructions.next_if(|one| one.keyword != Keyword::From) {
            if instruction.keyword == Keyword::Arg {
                scope.declare_global(instruction);
            }
        }
        let stages = Vec::new();
        let mut model = Self {
            stages,
            scope,
            text,
        };
        let names = Names::of(file);
        while let Some(from) = instructions.next() {
            let mut body = Vec::new();
            while let Some(next) = instructions.next_if(|one| one.keyword != Keyword::From) {
                body.push(next);
            }
            model.add_stage(from, &body, &names);
        }
        model.mark_reached(&input.targets);
        model
    }

    /// The text of the file.
    pub fn text(&self) -> &'f [u8] {
        self.text
    }

    /// What a variable of the global scope holds: an ARG before the first FROM, or a predefined one.
    pub fn global(&self, name: &str) -> Lookup<'_> {
        self.scope.global(name)
    }

    /// The stage of that name or number, as `COPY --from` finds it; `--target` takes names only.
    pub fn stage(&self, name: &str) -> Option<&Stage<'f>> {
        if let Ok(index) = name.parse::<usize>() {
            return self.stages.get(index);
        }
        let name = name.to_lowercase();
        let mut stages = self.stages.iter().rev();
        stages.find(|stage| stage.name.as_deref() == Some(name.as_str()))
    }

    /// The steps of all stages, in the order of the file, each with its stage.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = (&Stage<'f>, &Step<'f>)> {
        self.stages
            .iter()
            .flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)))
    }

    fn add_stage(&mut self, from: &'f Instruction, body: &[&'f Instruction], names: &Names) {
        let index = self.stages.len();
        let base = self.base_of(from, index, names);
        let platform = from
            .flag("platform")
            .and_then(|flag| self.scope.expand_global(flag.value.as_deref()?));
        let mut state = match &base {
            Base::Stage(index) => match self.stages.get(*index) {
                Some(stage) => stage.end.clone(),
                None => State::unknown(),
            },
            Base::Image(image) => State::of_image(image),
            Base::Scratch => State::scratch(),
            Base::Unknown => State::unknown(),
        };
        if let Some(platform) = &platform {
            state.set_platform(platform);
        }
        let inherited = match &base {
            Base::Stage(index) => self.stages.get(*index).map(triggers).unwrap_or_default(),
            _ => Vec::new(),
        };
        let triggers = self.steps_of(&inherited, &mut state, index, names);
        let steps = self.steps_of(body, &mut state, index, names);
        self.stages.push(Stage {
            index,
            from,
            name: graph::stage_name(from),
            base,
            platform,
            triggers,
            steps,
            end: state,
            ships: false,
            used: false,
        });
    }

    fn base_of(&self, from: &Instruction, index: usize, names: &Names) -> Base {
        let word = from.words().first();
        let Some(name) = word.and_then(|word| self.scope.expand_global(&word.text)) else {
            return Base::Unknown;
        };
        let own = graph::stage_name(from);
        let contexts = &self.scope.input.contexts;
        if contexts.contains(&name) || own.is_some_and(|own| contexts.contains(&own)) {
            return Base::Unknown;
        }
        // FROM finds the stages above it, and names them exactly as they are called.
        match names.before(&name, index) {
            Some(stage) => Base::Stage(stage),
            None => graph::image_or_scratch(&name),
        }
    }

    fn steps_of(
        &self,
        instructions: &[&'f Instruction],
        state: &mut State,
        stage: usize,
        names: &Names,
    ) -> Vec<Step<'f>> {
        let steps = instructions.iter().enumerate().map(|(index, instruction)| {
            let sources = graph::sources(instruction, stage, names, &self.scope.input.contexts);
            let before = state.clone();
            state.apply(instruction, &self.scope);
            Step {
                index,
                instruction,
                before,
                sources,
            }
        });
        steps.collect()
    }
}

impl Stage<'_> {
    /// The stages that this one is built on or takes files from, by number; one may come twice.
    pub fn needs(&self) -> impl Iterator<Item = usize> {
        let sources = self.triggers.iter().chain(&self.steps);
        let sources = sources.flat_map(|step| &step.sources);
        std::iter::once(&self.base)
            .chain(sources)
            .filter_map(|base| match base {
                Base::Stage(index) => Some(*index),
                _ => None,
            })
    }
}

/// The instructions that the ONBUILDs of `stage` leave to the stages that are built on it.
fn triggers<'f>(stage: &Stage<'f>) -> Vec<&'f Instruction> {
    let instructions = stage.steps.iter().map(|step| step.instruction);
    let triggers = instructions.filter_map(|instruction| match &instruction.args {
        Args::Onbuild(trigger) => Some(&**trigger),
        _ => None,
    });
    triggers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands the model of `text` to `look`.
    pub(super) fn with<T>(text: &str, input: &ModelInput, look: impl FnOnce(&Model<'_>) -> T) -> T {
        let file = Dockerfile::parse(text.as_bytes());
        look(&Model::of(&file, text.as_bytes(), input))
    }

    /// One line a stage: its base, `ships` or `used`, and where its files come from.
    fn graph_with(text: &str, input: &ModelInput) -> Vec<String> {
        let show = |base: &Base| match base {
            Base::Stage(index) => index.to_string(),
            Base::Image(image) => image.to_string(),
            Base::Scratch => "scratch".to_owned(),
            Base::Unknown => "?".to_owned(),
        };
        with(text, input, |model| {
            let lines = model.stages.iter().map(|stage| {
                let reached = match (stage.ships, stage.used) {
                    (true, _) => "ships",
                    (false, true) => "used",
                    _ => "unused",
                };
                let steps = stage.triggers.iter().chain(&stage.steps);
                let sources = steps.flat_map(|step| &step.sources).map(show);
                let sources: Vec<_> = sources.collect();
                format!("{} {reached} [{}]", show(&stage.base), sources.join(" "))
            });
            lines.collect()
        })
    }

    fn graph(text: &str) -> Vec<String> {
        graph_with(text, &ModelInput::default())
    }

    #[test]
    fn stages_by_name_and_number() {
        let text = "FROM golang AS build\nFROM alpine\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n\
                    COPY --from=BUILD /c /c\nCOPY --from=nginx:1 /d /d\n";
        assert_eq!(
            graph(text),
            ["golang used []", "alpine ships [0 0 0 nginx:1]"]
        );
    }

    #[test]
    fn bases_ship() {
        let text = "FROM debian AS a\nFROM a AS b\nFROM scratch AS c\nFROM b\nCOPY --from=c / /\n";
        let expected = [
            "debian ships []",
            "0 ships []",
            "scratch used []",
            "1 ships [2]",
        ];
        assert_eq!(graph(text), expected);
    }

    #[test]
    fn unused_stages_and_targets() {
        let text = "FROM a AS x\nFROM x AS test\nFROM b\n";
        assert_eq!(graph(text), ["a unused []", "0 unused []", "b ships []"]);
        let targets = vec!["TEST".to_owned(), "nowhere".to_owned()];
        let input = ModelInput {
            targets,
            ..ModelInput::default()
        };
        assert_eq!(
            graph_with(text, &input),
            ["a ships []", "0 ships []", "b ships []"]
        );
    }

    #[test]
    fn names_as_buildkit_finds_them() {
        // FROM takes the last stage above, COPY the last of the file; a stage below is refused.
        let text = "FROM a AS x\nFROM x AS x\nFROM x\nCOPY --from=x / /\nFROM x\n";
        assert_eq!(
            graph(text),
            ["a ships []", "0 ships []", "1 unused [1]", "1 ships []"]
        );
        assert_eq!(
            graph("FROM a\nCOPY --from=x / /\nFROM b AS x\n")[0],
            "a unused [?]"
        );
        assert_eq!(graph("FROM a\nCOPY --from=7 / /\n"), ["a ships [?]"]);
        assert_eq!(graph("FROM a AS a\n"), ["a ships []"]);
    }

    #[test]
    fn mounts_need_stages() {
        let text = "FROM a AS deps\nFROM b\nRUN --mount=type=cache,target=/c \
                    --mount=from=deps,target=/d --mount=type=bind,from=img:1,target=/e x\n\
                    RUN --mount=from=0,target=/f y\n";
        // A number is an image's name there.
        assert_eq!(graph(text), ["a used []", "b ships [0 img:1 0]"]);
    }

    #[test]
    fn triggers_run_in_the_stage_below() {
        let text = "FROM a AS lib\nFROM b AS base\nONBUILD COPY --from=lib /x /x\nONBUILD ENV K=v\n\
                    FROM base\nRUN y\nFROM 2\n";
        assert_eq!(
            graph(text)[..3],
            ["a unused []", "b unused []", "1 unused [0]"]
        );
        with(text, &ModelInput::default(), |model| {
            let stage = &model.stages[2];
            assert_eq!(stage.triggers.len(), 2);
            assert_eq!(stage.steps[0].before.lookup("K"), Lookup::Set("v"));
            assert_eq!(model.stages[1].end.variable("K"), None);
        });
    }

    #[test]
    fn named_contexts_are_unknown() {
        let text = "FROM base AS a\nFROM alpine\nCOPY --from=a / /\nCOPY --from=other / /\n";
        let contexts = ["base", "other"].map(str::to_owned).into();
        let input = ModelInput {
            contexts,
            ..ModelInput::default()
        };
        assert_eq!(
            graph_with(text, &input),
            ["? used []", "alpine ships [0 ?]"]
        );
    }

    #[test]
    fn variables_in_from() {
        let text = "ARG V=3.9\nARG R\nARG N=${V}-slim\nFROM python:$N\nFROM $R/x\nFROM $UNSET\n\
                    FROM --platform=linux/$V ${V:+scratch}\n";
        assert_eq!(
            graph(text),
            [
                "python:3.9-slim unused []",
                "? unused []",
                "? unused []",
                "scratch ships []"
            ]
        );
        with(text, &ModelInput::default(), |model| {
            assert_eq!(model.stages[3].platform.as_deref(), Some("linux/3.9"));
            assert_eq!(model.stage("1").map(|stage| stage.index), Some(1));
            assert_eq!(model.global("R"), Lookup::Unknown);
            assert_eq!(model.global("X"), Lookup::Unset);
        });
        let build_args = [("V", "3.8"), ("R", "reg.io")];
        let input = ModelInput {
            build_args: build_args.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..ModelInput::default()
        };
        let given = graph_with(text, &input);
        assert_eq!(
            given[..2],
            ["python:3.8-slim unused []", "reg.io/x unused []"]
        );
    }

    #[test]
    fn broken_files_have_a_model() {
        for text in [
            "",
            "RUN x\n",
            "FROM\n",
            "FROM a AS\nCOPY --from\n",
            "FROM a b c d\n",
        ] {
            graph(text);
        }
    }

    #[test]
    fn many_stages_and_variables_stay_cheap() {
        let mut text = "FROM debian:12 AS s0\n".to_owned();
        for stage in 1..1000 {
            text.push_str(&format!("FROM s{} AS s{stage}\n", stage - 1));
            for variable in 0..100 {
                text.push_str(&format!("ENV V{stage}_{variable}=$V0\n"));
            }
        }
        let start = std::time::Instant::now();
        with(&text, &ModelInput::default(), |model| {
            let end = &model.stages[999].end;
            assert_eq!(end.lookup("V2_5"), Lookup::Set(""));
            assert_eq!(end.variables().count(), 99_901);
        });
        // A quadratic walk takes minutes.
        assert!(start.elapsed().as_secs() < 30);
    }

    #[test]
    fn expansion_bombs_stop() {
        let mut text = format!("FROM scratch\nENV A={}\n", "x".repeat(60_000));
        for index in 0..10_000 {
            text.push_str(&format!("ENV B{index}=$A\n"));
        }
        text.push_str("ENV LAST=x\n");
        with(&text, &ModelInput::default(), |model| {
            let end = &model.stages[0].end;
            assert!(matches!(end.lookup("B3"), Lookup::Set(_)));
            assert_eq!(end.lookup("B9999"), Lookup::Unknown);
            assert_eq!(end.lookup("LAST"), Lookup::Set("x"));
        });
    }
}
