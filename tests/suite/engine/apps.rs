//! The applications that tests build: each folder of `tests/engine/apps` is a build context with its Dockerfile, and all
//! tests share them, so that BuildKit runs each step once. Their packages come from the registries that the base images
//! are set up for; no file names one.
//!
//! A line `# smoke: COMMAND` of a Dockerfile is what a shell in the image runs to show that the application works; without
//! one its own entrypoint and command are run. A `dockeropt.toml` beside the Dockerfile configures the chain.

use std::path::PathBuf;

use dockeropt::report::Report;
use dockeropt::walk::disk::DiskContext;

use super::{Built, Engine, docker, fixtures};
use crate::files::folders_in;
use crate::run;

/// One application.
pub(crate) struct App {
    /// The folder's name.
    pub(crate) name: String,
    folder: PathBuf,
    /// The Dockerfile, as it is written.
    pub(crate) text: Vec<u8>,
}

impl App {
    /// Every application, by name.
    pub(crate) fn all() -> Vec<Self> {
        let folders = folders_in(&fixtures("apps")).into_iter();
        let app = |folder: PathBuf| Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            text: run::dockerfile_of(&folder),
            folder,
        };
        folders.map(app).collect()
    }

    /// What the whole chain makes of the Dockerfile.
    pub(crate) fn rewrite(&self) -> Report {
        let context = DiskContext::new(&self.folder).unwrap();
        run::run(
            &run::case_chain("chain", &self.folder),
            &context,
            &self.text,
        )
    }

    /// Builds the application with a Dockerfile of this text. The one in its folder stays what COPY sees.
    pub(crate) fn build(
        &self,
        engine: Engine,
        text: &[u8],
        args: &[&str],
    ) -> Result<Built, String> {
        let dockerfile = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&dockerfile, text).unwrap();
        let file = ["--file", dockerfile.path().to_str().unwrap()];
        engine.build(&[&file, args].concat(), &self.folder)
    }

    /// What shows that the application works: a command for a shell, or nothing where it does so by itself.
    pub(crate) fn smoke(&self) -> Option<&str> {
        let text = str::from_utf8(&self.text).unwrap();
        text.lines().find_map(|line| line.strip_prefix("# smoke: "))
    }
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
