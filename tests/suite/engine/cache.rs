//! Which steps the engine takes from its cache after an edit, and which the model says it does. Each folder of
//! `tests/engine/cache` is a context with its Dockerfile; the edits of one are made one after another to a copy of it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dockeropt::context::ignore;
use dockeropt::model::cache::{Fate, Forecast, Place};
use dockeropt::model::{Base, Model, ModelInput};
use dockeropt::pass::touched::Touched;
use dockeropt::syntax::Dockerfile;
use dockeropt::walk::disk::DiskContext;
use rayon::prelude::*;

use super::{Built, Engine, engine, fixtures, scratch_copy, unique};
use crate::files::files_under;

/// Something that is done to a context, or to the build.
#[derive(Debug, Clone, Copy)]
enum Edit {
    /// Text is put behind a file.
    Append(&'static str),
    /// A line is put before a file.
    Prepend(&'static str),
    Create(&'static str),
    Remove(&'static str),
    /// A file becomes executable.
    Mode(&'static str),
    /// A file gets another time.
    Time(&'static str),
    /// A build argument gets this value, or one that no build had where it is empty.
    Argument(&'static str, &'static str),
    Nothing,
}

use Edit::{Append, Argument, Create, Mode, Nothing, Prepend, Remove, Time};

const EDITS: &[(&str, &[Edit])] = &[
    (
        "layers",
        &[
            Nothing,
            Append("src/deep/x.py"),
            Append("requirements.txt"),
            Append("README.md"),
            Append("docs/index.md"),
            Append("build/out"),
            Append("Dockerfile"),
            Mode("src/main.py"),
            Time("src/main.py"),
            Time("requirements.txt"),
            Create("src/new.py"),
            Create("build/new"),
            Remove("src/main.py"),
            Remove("docs/index.md"),
        ],
    ),
    ("whole-context", &[Append("Dockerfile"), Append("a.txt")]),
    (
        "stages",
        &[
            Append("lib/version.txt"),
            Prepend("lib/version.txt"),
            Append("lib/notes.txt"),
            Append("app/a.c"),
            Append("web/index.html"),
            Append("test/t.c"),
        ],
    ),
    (
        "mounts",
        &[
            Append("lock.txt"),
            Append("conf/c.ini"),
            Append("src/a.c"),
            Append("other.txt"),
            Time("src/a.c"),
        ],
    ),
    (
        "arguments",
        &[
            Append("a.txt"),
            Argument("BUILD_DATE", ""),
            Append("b.txt"),
            Argument("FILE", "b"),
            Append("a.txt"),
            Argument("UNUSED", ""),
            Argument("BASE", "bookworm"),
        ],
    ),
    (
        "patterns",
        &[
            Append("app.conf"),
            Append("conf.d/one.d"),
            Append("conf.d/no.txt"),
            Append("data/sub/s"),
            Append("data/t"),
            Append("one.txt"),
            Append("target.txt"),
            Create("more.conf"),
        ],
    ),
    (
        "links",
        &[
            Append("third.txt"),
            Append("second.txt"),
            Append("first.txt"),
        ],
    ),
    (
        "triggers",
        &[
            Append("late.txt"),
            Append("package.json"),
            Append("Dockerfile"),
        ],
    ),
];

#[test]
fn steps_run_that_the_model_says_run() {
    let Some(engine) = engine() else { return };
    let results = EDITS
        .par_iter()
        .map(|(name, edits)| Bench::new(engine, name).all(edits));
    let counts = results.collect::<Vec<_>>();
    let sum = |of: fn(&Counts) -> usize| counts.iter().map(of).sum::<usize>();
    println!(
        "{} edits, {} steps from the cache, {} that ran; of those that may run, {} did and {} did not",
        sum(|one| one.edits),
        sum(|one| one.cached),
        sum(|one| one.ran),
        sum(|one| one.did),
        sum(|one| one.did_not),
    );
    let wrong: Vec<&String> = counts.iter().flat_map(|one| &one.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(sum(|one| one.edits) >= 20 && sum(|one| one.did) > 0 && sum(|one| one.did_not) > 0);
}

/// Predictions, by how they came out.
#[derive(Default)]
struct Counts {
    edits: usize,
    cached: usize,
    ran: usize,
    did: usize,
    did_not: usize,
    wrong: Vec<String>,
}

/// A copy of a context, and the arguments of its builds.
struct Bench {
    engine: Engine,
    name: &'static str,
    folder: tempfile::TempDir,
    arguments: BTreeMap<String, String>,
}

impl Bench {
    fn new(engine: Engine, name: &'static str) -> Self {
        let folder = scratch_copy(&fixtures("cache").join(name));
        // Files that no other run has: nothing of an older build is taken for one of this.
        for file in files_under(folder.path()) {
            let name = file.file_name().unwrap().to_str().unwrap();
            if !file.is_symlink() && !["Dockerfile", ".dockerignore"].contains(&name) {
                append(&file);
            }
        }
        Self {
            engine,
            name,
            folder,
            arguments: BTreeMap::new(),
        }
    }

    fn all(mut self, edits: &[Edit]) -> Counts {
        let mut counts = Counts::default();
        let mut last = self.build();
        for edit in edits {
            let forecast = self.make(edit);
            let built = self.build();
            self.compare(edit, &forecast, &built, &mut counts);
            counts.edits += 1;
            drop(std::mem::replace(&mut last, built));
        }
        counts
    }

    fn build(&self) -> Built {
        let given = self.arguments.iter();
        let given: Vec<String> = given
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let args: Vec<&str> = given.iter().flat_map(|one| ["--build-arg", one]).collect();
        let built = self.engine.build(&args, self.folder.path());
        built.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Makes an edit, and says what the model expects of it.
    fn make(&mut self, edit: &Edit) -> Forecast {
        let last = self.input();
        let at = |file: &str| self.folder.path().join(file);
        match edit {
            Nothing => self.forecast(&last, None),
            Append(file) | Create(file) => {
                append(&at(file));
                self.forecast(&last, Some(file))
            }
            Prepend(file) => {
                let text = format!("{}\n{}", unique(), fs::read_to_string(at(file)).unwrap());
                fs::write(at(file), text).unwrap();
                self.forecast(&last, Some(file))
            }
            Remove(file) => {
                // What takes a file is known only while it stands there.
                let forecast = self.forecast(&last, Some(file));
                fs::remove_file(at(file)).unwrap();
                forecast
            }
            Mode(file) => {
                fs::set_permissions(at(file), fs::Permissions::from_mode(0o755)).unwrap();
                self.forecast(&last, Some(file))
            }
            Time(file) => {
                let file = OpenOptions::new().append(true).open(at(file)).unwrap();
                let time = file.metadata().unwrap().modified().unwrap();
                file.set_modified(time - Duration::from_secs(1000)).unwrap();
                self.forecast(&last, None)
            }
            Argument(name, value) => {
                let value = match *value {
                    "" => unique(),
                    value => value.to_owned(),
                };
                self.arguments.insert((*name).to_owned(), value);
                self.forecast(&last, None)
            }
        }
    }

    fn input(&self) -> ModelInput {
        ModelInput {
            build_args: self.arguments.clone(),
            build_args_complete: true,
            ..ModelInput::default()
        }
    }

    fn text(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("Dockerfile")).unwrap()
    }

    fn forecast(&self, last: &ModelInput, changed: Option<&str>) -> Forecast {
        let (text, input) = (self.text(), self.input());
        let file = Dockerfile::parse(&text);
        let (last, model) = (
            Model::of(&file, &text, last),
            Model::of(&file, &text, &input),
        );
        let disk = DiskContext::new(self.folder.path()).unwrap();
        let (_, ignore) = ignore::load(&disk, "", "Dockerfile").unwrap();
        let changed = changed.into_iter().map(str::to_owned).collect();
        model.after_build(&last, &Touched::new(&disk, &ignore, changed))
    }

    fn compare(&self, edit: &Edit, forecast: &Forecast, built: &Built, counts: &mut Counts) {
        let (text, input) = (self.text(), self.input());
        let file = Dockerfile::parse(&text);
        let model = Model::of(&file, &text, &input);
        let engine = numbered(built);
        for (place, fate) in &forecast.steps {
            let step = number(&model, forecast, *place);
            let cached = engine.get(&step).copied();
            let good = match (fate, cached) {
                (Fate::Cached, Some(true)) => &mut counts.cached,
                (Fate::Runs(_), Some(false)) => &mut counts.ran,
                (Fate::MayRun(_), Some(true)) => &mut counts.did_not,
                (Fate::MayRun(_), Some(false)) => &mut counts.did,
                _ => {
                    let wrong = format!(
                        "{} {edit:?}, {step:?}: model {fate:?}, cached {cached:?}",
                        self.name
                    );
                    counts.wrong.push(wrong);
                    continue;
                }
            };
            *good += 1;
        }
        let steps = engine.len();
        if steps != forecast.steps.len() {
            let wrong = format!("{}: the engine has {steps} steps", self.name);
            counts.wrong.push(wrong);
        }
    }
}

/// BuildKit's number of a step: the stage's name, and its place among the stage's steps, FROM an image being the first.
fn number(model: &Model<'_>, forecast: &Forecast, place: Place) -> (String, usize) {
    let stage = &model.stages[place.stage];
    let name = match &stage.name {
        Some(name) => name.clone(),
        None => format!("stage-{}", stage.index),
    };
    let first = Place {
        stage: place.stage,
        position: 0,
    };
    let before = forecast.steps.range(first..=place).count();
    let from = usize::from(matches!(stage.base, Base::Image(_)));
    (name, from + before)
}

/// The steps of a build by number, from their names: `[stage 2/5] COPY a b`, or `[2/5] COPY a b` in a lone stage.
fn numbered(built: &Built) -> BTreeMap<(String, usize), bool> {
    let steps = built.steps.iter().filter_map(|(name, cached)| {
        let (head, instruction) = name.strip_prefix('[')?.split_once("] ")?;
        let (stage, number) = head.rsplit_once(' ').unwrap_or(("stage-0", head));
        let (number, _) = number.split_once('/')?;
        let step = (stage.trim().to_owned(), number.parse().ok()?);
        (!instruction.starts_with("FROM ")).then_some((step, *cached))
    });
    steps.collect()
}

fn append(file: &Path) {
    let path: PathBuf = file.to_owned();
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    writeln!(file, "# {}", unique()).unwrap();
}
