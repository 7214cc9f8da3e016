//! buildah: builds images and hands them out. It runs no finished image, so that nothing can be tried in one.

use std::fs::File;
use std::io::Read;

use super::child;
use super::docker::asked;
use super::podman::{BUILD, build, inspected};
use super::{Built, Container, Engine, EngineError, Found, Progress, Ran, Run, Wanted};

const PROGRAM: &str = "buildah";

struct Buildah {
    version: String,
}

/// buildah, where it answers.
pub(super) fn find() -> Found {
    let answer = child::ask(PROGRAM, &["--version"]).map_err(|stopped| stopped.error(PROGRAM))?;
    if !answer.succeeded() {
        let said = answer.said();
        let why = said.lines().last().unwrap_or_default();
        return Err(EngineError::Unusable(format!(
            "buildah does not answer: {why}"
        )));
    }
    // `buildah version 1.28.2 (image-spec …)`
    let told = String::from_utf8_lossy(&answer.stdout).into_owned();
    let version = told
        .split_whitespace()
        .nth(2)
        .unwrap_or_default()
        .to_owned();
    Ok(Box::new(Buildah { version }))
}

impl Engine for Buildah {
    fn name(&self) -> String {
        format!("buildah {}", self.version)
    }

    fn can_build(&self) -> Result<(), EngineError> {
        Ok(())
    }

    fn build(&self, wanted: &Wanted<'_>, progress: Progress<'_>) -> Result<Built, EngineError> {
        build(PROGRAM, &BUILD, wanted, progress)
    }

    fn config(&self, image: &str) -> Result<serde_json::Value, EngineError> {
        let args = ["inspect", "--type=image", image];
        let found = inspected(PROGRAM, &args, image)?;
        // The image's own document is in there; `config` is what docker calls `Config`.
        Ok(found["Docker"]["config"].clone())
    }

    fn save(&self, image: &str) -> Result<Box<dyn Read + Send>, EngineError> {
        let file = tempfile::NamedTempFile::new();
        let file = file.map_err(|error| EngineError::Failed(error.to_string()))?;
        let path = file.into_temp_path();
        let to = format!("docker-archive:{}", path.display());
        // It writes no file that is there already.
        let gone = std::fs::remove_file(&path);
        gone.map_err(|error| EngineError::Failed(error.to_string()))?;
        asked(PROGRAM, &["push", "--quiet", image, &to])?;
        let opened = File::open(&path);
        let opened = opened.map_err(|error| EngineError::Failed(error.to_string()))?;
        Ok(Box::new(opened))
    }

    fn run(&self, _: &str, _: &Run<'_>) -> Result<Option<Ran>, EngineError> {
        Ok(None)
    }

    fn start(&self, _: &str, _: u16) -> Result<Option<Box<dyn Container + '_>>, EngineError> {
        Ok(None)
    }

    fn remove(&self, image: &str) {
        child::clean(PROGRAM, &["rmi", image]);
    }
}
