//! What a build runs again after an edit, before and after the rewrite. After an edit of the source the steps that
//! install come from the cache where they did not before; after an edit of a manifest they run. What the application
//! prints is the same in both, and shows the edit.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Instant;

use dockeropt::report::Report;
use rayon::prelude::*;

use super::apps::{App, build, output, written};
use super::rewrites::size;
use super::{Built, Engine, engine, unique};

/// Something that is done to a context, or to the build.
#[derive(Debug, Clone, Copy)]
enum Edit {
    /// The program prints a further line, with a word that no other build had.
    Source(&'static str),
    /// A comment is written into a manifest.
    Manifest(&'static str),
    /// A build argument gets a value that no build had.
    Argument(&'static str),
}

use Edit::{Argument, Manifest, Source};

/// What is said of the steps of one application that install something.
struct Rebuild {
    app: &'static str,
    /// What stands in those steps, in the Dockerfile as it is written and in the rewritten one.
    installs: [&'static [&'static str]; 2],
    /// After this edit they come from the cache where the Dockerfile is rewritten, and some do not where it is not.
    kept: Edit,
    /// After this one they run in both.
    run: Option<Edit>,
}

const fn rebuild(
    app: &'static str,
    installs: &'static [&'static str],
    kept: Edit,
    run: Option<Edit>,
) -> Rebuild {
    Rebuild {
        app,
        installs: [installs, installs],
        kept,
        run,
    }
}

const REBUILDS: &[Rebuild] = &[
    rebuild(
        "pip-requirements",
        &["pip install"],
        Source("app.py"),
        Some(Manifest("requirements.txt")),
    ),
    rebuild(
        "fastapi",
        &["pip install"],
        Source("app/main.py"),
        Some(Manifest("requirements/constraints.txt")),
    ),
    rebuild(
        "poetry-source-first",
        &["poetry install"],
        Source("main.py"),
        Some(Manifest("pyproject.toml")),
    ),
    // The project itself is installed once more, behind its dependencies.
    Rebuild {
        app: "uv-project",
        installs: [&["uv sync"], &["--no-install-project"]],
        kept: Source("main.py"),
        run: Some(Manifest("pyproject.toml")),
    },
    rebuild(
        "uv-pyproject",
        &["uv pip install"],
        Source("main.py"),
        Some(Manifest("pyproject.toml")),
    ),
    rebuild(
        "pipenv",
        &["pipenv install"],
        Source("main.py"),
        Some(Manifest("Pipfile")),
    ),
    rebuild(
        "pip-owner",
        &["pip install"],
        Source("main.py"),
        Some(Manifest("requirements.txt")),
    ),
    rebuild(
        "compose/api",
        &["pip install"],
        Source("shared/__init__.py"),
        Some(Manifest("api/requirements.txt")),
    ),
    rebuild(
        "compose/worker",
        &["pip install"],
        Source("shared/__init__.py"),
        Some(Manifest("worker/requirements.txt")),
    ),
    rebuild(
        "django",
        &["pip install"],
        Source("site_settings.py"),
        Some(Manifest("requirements.txt")),
    ),
    rebuild(
        "express",
        &["npm "],
        Source("app.js"),
        Some(Manifest("package.json")),
    ),
    rebuild(
        "npm-build",
        &["npm ci"],
        Source("src/main.js"),
        Some(Manifest("package.json")),
    ),
    Rebuild {
        app: "typescript",
        installs: [&["npm install"], &["npm ci"]],
        kept: Source("src/main.ts"),
        run: Some(Manifest("package.json")),
    },
    rebuild(
        "typescript-stages",
        &["npm ci"],
        Source("src/main.ts"),
        Some(Manifest("package.json")),
    ),
    rebuild(
        "npm-workspaces",
        &["npm "],
        Source("packages/web/index.js"),
        Some(Manifest("packages/format/package.json")),
    ),
    rebuild(
        "npm-postinstall",
        &["npm ci"],
        Source("index.js"),
        Some(Manifest("package.json")),
    ),
    rebuild(
        "npm-subfolder",
        &["npm ci"],
        Source("backend/index.js"),
        Some(Manifest("backend/package.json")),
    ),
    rebuild(
        "yarn-source-first",
        &["yarn install"],
        Source("index.js"),
        Some(Manifest("package.json")),
    ),
    rebuild(
        "pnpm-source-first",
        &["pnpm install"],
        Source("index.js"),
        Some(Manifest("package.json")),
    ),
    Rebuild {
        app: "go-source-first",
        installs: [&["go build"], &["go mod download"]],
        kept: Source("main.go"),
        run: Some(Manifest("go.mod")),
    },
    rebuild(
        "apt-after-source",
        &["apt-get install"],
        Source("page.txt"),
        None,
    ),
    rebuild(
        "volatile-arguments",
        &["apt-get install"],
        Argument("GIT_SHA"),
        None,
    ),
];

#[test]
fn what_is_installed_is_not_installed_again_after_an_edit() {
    let Some(engine) = engine() else { return };
    let apps = App::all();
    let results = REBUILDS.par_iter().map(|rebuild| {
        let app = apps.iter().find(|app| app.name == rebuild.app);
        Rebuilt::of(engine, app.unwrap(), rebuild)
    });
    let rebuilt: Vec<Rebuilt> = results.collect();
    println!("{}", table(&rebuilt));
    let wrong: Vec<String> = rebuilt.iter().flat_map(Rebuilt::complaints).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rebuilt.len() >= 20);
}

/// One build of a Dockerfile.
pub(crate) struct Timed {
    pub(crate) built: Built,
    pub(crate) seconds: f64,
}

impl Timed {
    /// How many steps ran.
    pub(crate) fn ran(&self) -> usize {
        self.steps().filter(|(_, cached)| !cached).count()
    }

    /// The steps of Dockerfiles, without those that name or bring a base image.
    fn steps(&self) -> impl Iterator<Item = (&str, bool)> {
        let steps = self.built.steps.iter();
        steps.filter_map(|(name, cached)| {
            let (_, instruction) = name.strip_prefix('[')?.split_once("] ")?;
            let is_step = ["RUN ", "COPY ", "ADD ", "WORKDIR "]
                .iter()
                .any(|keyword| instruction.starts_with(keyword));
            is_step.then_some((instruction, *cached))
        })
    }

    /// Whether each of the steps that hold this text came from the cache.
    fn cached(&self, text: &str) -> Vec<bool> {
        let steps = self.steps();
        let runs = steps.filter(|(step, _)| step.starts_with("RUN ") && step.contains(text));
        runs.map(|(_, cached)| cached).collect()
    }
}

/// What came out of one application: each build, of the Dockerfile as it is written and of the rewritten one.
struct Rebuilt {
    app: &'static str,
    kept: [Timed; 2],
    run: Option<[Timed; 2]>,
    wrong: Vec<String>,
}

impl Rebuilt {
    fn of(engine: Engine, app: &App, rebuild: &Rebuild) -> Self {
        let mut bench = Bench::of(engine, app, app.rewrite());
        // What stands in the cache afterwards is what this edit is measured against.
        bench.build();
        let mark = bench.make(rebuild.kept);
        let kept = bench.build();
        let prints = kept
            .each_ref()
            .map(|one| output(one.built.image(), app.smoke()));
        let run = rebuild.run.map(|edit| {
            bench.make(edit);
            bench.build()
        });
        let mut wrong = Vec::new();
        if prints[0] != prints[1] || !prints[0].contains(&mark) {
            wrong.push(format!("after {:?} they print {prints:#?}", rebuild.kept));
        }
        wrong.extend(rebuild.complaints(&kept, run.as_ref()));
        Self {
            app: rebuild.app,
            kept,
            run,
            wrong,
        }
    }

    fn complaints(&self) -> impl Iterator<Item = String> {
        let app = self.app;
        self.wrong
            .iter()
            .map(move |wrong| format!("{app}: {wrong}"))
    }
}

impl Rebuild {
    fn complaints(&self, kept: &[Timed; 2], run: Option<&[Timed; 2]>) -> Vec<String> {
        let mut wrong = Vec::new();
        let steps = |built: &[Timed; 2], side: usize| -> Vec<(&str, Vec<bool>)> {
            let installs = self.installs[side].iter();
            installs
                .map(|text| (*text, built[side].cached(text)))
                .collect()
        };
        for (text, cached) in steps(kept, 0) {
            if cached.is_empty() || cached.iter().all(|cached| *cached) {
                wrong.push(format!("`{text}` does not run after {:?}", self.kept));
            }
        }
        for (text, cached) in steps(kept, 1) {
            if cached.is_empty() || !cached.iter().all(|cached| *cached) {
                wrong.push(format!("`{text}` runs after {:?}, rewritten", self.kept));
            }
        }
        for (edit, built) in self.run.iter().zip(run) {
            let both = steps(built, 0).into_iter().chain(steps(built, 1));
            for (text, cached) in both {
                if cached.is_empty() || cached.contains(&true) {
                    wrong.push(format!("`{text}` does not run after {edit:?}"));
                }
            }
        }
        wrong
    }
}

/// Copies of the context of an application: one for its own Dockerfile, one for the rewritten one, with what fixes write.
pub(crate) struct Bench<'a> {
    engine: Engine,
    app: &'a App,
    sides: [(tempfile::TempDir, Vec<u8>); 2],
    arguments: Vec<String>,
}

impl<'a> Bench<'a> {
    pub(crate) fn of(engine: Engine, app: &'a App, report: Report) -> Self {
        let sides = [
            (app.context(&[]), app.text.clone()),
            (app.context(&written(&report)), report.output),
        ];
        Self {
            engine,
            app,
            sides,
            arguments: Vec::new(),
        }
    }

    fn build(&self) -> [Timed; 2] {
        self.try_build()
            .unwrap_or_else(|error| panic!("{}: {error}", self.app.name))
    }

    /// Builds both sides.
    pub(crate) fn try_build(&self) -> Result<[Timed; 2], String> {
        let [before, after] = self.sides.each_ref().map(|(context, text)| {
            let args = self.arguments.iter();
            let args: Vec<&str> = args.flat_map(|one| ["--build-arg", one]).collect();
            let start = Instant::now();
            let built = build(self.engine, context.path(), text, &args)?;
            let seconds = start.elapsed().as_secs_f64();
            Ok::<_, String>(Timed { built, seconds })
        });
        Ok([before?, after?])
    }

    /// Writes a comment at the end of a file of each side: another one in each, so that neither comes from the cache of the
    /// other.
    pub(crate) fn comment(&self, file: &Path) {
        let mark = match file.extension().is_some_and(|one| one == "py") {
            true => "#",
            false => "//",
        };
        for (context, _) in &self.sides {
            let path = context.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{text}\n{mark} {}\n", unique())).unwrap();
        }
    }

    /// Makes an edit on both sides, and returns the word that it brought.
    fn make(&mut self, edit: Edit) -> String {
        let mark = unique();
        let file = match edit {
            Source(file) | Manifest(file) => file,
            Argument(name) => {
                self.arguments.push(format!("{name}={mark}"));
                return mark;
            }
        };
        for (context, _) in &self.sides {
            let path = context.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            let text = match edit {
                Source(_) => with_print(&path, &text, &mark),
                _ => with_comment(&path, &text, &mark),
            };
            fs::write(&path, text).unwrap();
        }
        mark
    }
}

/// A program that prints a further line with this word.
fn with_print(path: &Path, text: &str, word: &str) -> String {
    match path.extension().and_then(|one| one.to_str()).unwrap() {
        "py" => format!("{text}\nprint('{word}')\n"),
        "js" | "ts" => format!("{text}\nconsole.log('{word}');\n"),
        "go" => format!("{text}\nfunc init() {{ fmt.Println(\"{word}\") }}\n"),
        "rs" => {
            let main = "fn main() {\n";
            text.replace(main, &format!("{main}    println!(\"{word}\");\n"))
        }
        "txt" => format!("{text}{word}\n"),
        other => panic!("no program is known to end in {other}"),
    }
}

/// A manifest that says the same, with this word in it.
fn with_comment(path: &Path, text: &str, word: &str) -> String {
    match path.file_name().and_then(|one| one.to_str()).unwrap() {
        "package.json" => text.replacen('{', &format!("{{\n  \"//\": \"{word}\","), 1),
        "go.mod" => format!("{text}// {word}\n"),
        _ => format!("{text}# {word}\n"),
    }
}

fn table(rebuilt: &[Rebuilt]) -> String {
    let mut table = format!(
        "{:22}{:>26}{:>18}{:>26}{:>18}{:>18}\n",
        "application", "steps after source edit", "seconds", "after manifest edit", "seconds", "MB"
    );
    for one in rebuilt {
        let arrow = |one: String, other: String| format!("{one} -> {other}");
        let steps = |built: &[Timed; 2]| {
            let [before, after] = built;
            arrow(before.ran().to_string(), after.ran().to_string())
        };
        let seconds = |built: &[Timed; 2]| {
            let [before, after] = built.each_ref().map(|one| format!("{:.1}", one.seconds));
            arrow(before, after)
        };
        let [before, after] = one.kept.each_ref().map(|one| size(&one.built) as f64 / 1e6);
        let sizes = arrow(format!("{before:.1}"), format!("{after:.1}"));
        let run = one.run.as_ref();
        writeln!(
            table,
            "{:22}{:>26}{:>18}{:>26}{:>18}{sizes:>18}",
            one.app,
            steps(&one.kept),
            seconds(&one.kept),
            run.map(steps).unwrap_or_default(),
            run.map(seconds).unwrap_or_default(),
        )
        .unwrap();
    }
    table
}
