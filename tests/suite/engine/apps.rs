//! The applications that tests build: each folder of `tests/engine/apps` is a build context with its Dockerfile, or with
//! one in each of several folders, as of services that one compose file names. All tests share them, so that BuildKit
//! runs each step once; those of `tests/engine/splits` stand on images that bring a compiler, those of `tests/engine/bases`
//! on full images of which they need no more than the small ones have, and both are built only where stages are split. Their
//! packages come from the registries that the base images are set up for; no file names one.
//!
//! A line `# smoke: COMMAND` of a Dockerfile is what a shell in the image runs to show that the application works; without
//! one its own entrypoint and command are run. A `dockeropt.toml` beside the Dockerfile configures the chain.

use std::path::{Path, PathBuf};

use dockeropt::report::Report;
use dockeropt::rule::{Phase, Rule};
use dockeropt::walk::disk::DiskContext;

use super::{Built, Engine, docker, fixtures, scratch_copy};
use crate::files::folders_in;
use crate::run;

/// One application.
pub(crate) struct App {
    /// The folder's name, and that of the folder in it which holds the Dockerfile.
    pub(crate) name: String,
    /// The build context.
    pub(crate) folder: PathBuf,
    /// The Dockerfile, as it is written.
    pub(crate) text: Vec<u8>,
}

impl App {
    /// Every application, by name.
    pub(crate) fn all() -> Vec<Self> {
        Self::all_in("apps")
    }

    /// Every application of one folder of `tests/engine`, by name.
    pub(crate) fn all_in(folder: &str) -> Vec<Self> {
        let root = fixtures(folder);
        let folders = folders_in(&root).into_iter();
        folders
            .flat_map(|folder| Self::of_context(&root, &folder))
            .collect()
    }

    fn of_context(root: &Path, context: &Path) -> Vec<Self> {
        let mut folders = folders_in(context);
        if context.join("Dockerfile").exists() {
            folders = vec![context.to_owned()];
        }
        folders.retain(|folder| folder.join("Dockerfile").exists());
        let app = |folder: PathBuf| Self {
            name: name_in(&folder, root),
            text: run::dockerfile_of(&folder),
            folder: context.to_owned(),
        };
        folders.into_iter().map(app).collect()
    }

    /// What the whole chain makes of the Dockerfile, but that its stages and bases stay as they are: whether other rules do what
    /// they say shows in the files of one stage.
    pub(crate) fn rewrite(&self) -> Report {
        let mut rules = run::all_rules();
        rules.retain(|rule| !matches!(rule.phase, Phase::Stages | Phase::Bases));
        self.run(rules)
    }

    /// What the whole chain makes of the Dockerfile.
    pub(crate) fn split(&self) -> Report {
        self.run(run::all_rules())
    }

    fn run(&self, rules: Vec<Rule>) -> Report {
        let context = DiskContext::new(&self.folder).unwrap();
        let chain = run::chain_in(&self.folder, rules);
        run::run(&chain, &context, &self.text)
    }

    /// Builds the application as it is written.
    pub(crate) fn build(&self, engine: Engine, args: &[&str]) -> Result<Built, String> {
        build(engine, &self.folder, &self.text, args)
    }

    /// Builds what the chain made of it.
    pub(crate) fn build_rewritten(
        &self,
        engine: Engine,
        report: &Report,
        args: &[&str],
    ) -> Result<Built, String> {
        let context = self.context(&written(report));
        build(engine, context.path(), &report.output, args)
    }

    /// A copy of the build context, with these files in it.
    pub(crate) fn context(&self, files: &[(&Path, &[u8])]) -> tempfile::TempDir {
        let context = scratch_copy(&self.folder);
        for (path, content) in files {
            std::fs::write(context.path().join(path), content).unwrap();
        }
        context
    }

    /// What shows that the application works: a command for a shell, or nothing where it does so by itself.
    pub(crate) fn smoke(&self) -> Option<&str> {
        let text = str::from_utf8(&self.text).unwrap();
        text.lines().find_map(|line| line.strip_prefix("# smoke: "))
    }
}

/// The files that the applied fixes write, the last one last.
pub(crate) fn written(report: &Report) -> Vec<(&Path, &[u8])> {
    let applied = report.findings.iter().filter(|finding| finding.applied);
    let files = applied
        .flat_map(|finding| &finding.fix)
        .flat_map(|fix| &fix.files);
    files
        .map(|(path, content)| (path.as_path(), content.as_slice()))
        .collect()
}

/// Builds a context with a Dockerfile of this text. The one in the context stays what COPY sees.
pub(crate) fn build(
    engine: Engine,
    context: &Path,
    text: &[u8],
    args: &[&str],
) -> Result<Built, String> {
    let dockerfile = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&dockerfile, text).unwrap();
    let file = ["--file", dockerfile.path().to_str().unwrap()];
    engine.build(&[&file, args].concat(), context)
}

fn name_in(path: &Path, folder: &Path) -> String {
    let name = path.strip_prefix(folder).unwrap();
    name.to_str().unwrap().to_owned()
}

/// What a container prints, and how it ends: one that runs `command` in a shell, or else what the image is to run.
pub(crate) fn output(image: &str, command: Option<&str>) -> String {
    let alone = ["run", "--rm", "--network=none"];
    let output = match command {
        Some(command) => docker(&[&alone[..], &["--entrypoint=sh", image, "-c", command]].concat()),
        None => docker(&[&alone[..], &[image]].concat()),
    };
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{told}{errors}{}", output.status)
}
