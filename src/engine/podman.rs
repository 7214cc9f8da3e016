//! podman: its own builder, and the containers of docker's command line.

use std::io::Read;
use std::time::Instant;

use super::child::{self, Stopped};
use super::docker::{Docker, Options, asked, failed_build};
use super::text::Steps;
use super::working::{Working, is_log, without_log};
use super::{Built, Container, Engine, EngineError, Found, Progress, Ran, Run, Wanted};

/// How the builder is called: a build that fails leaves no container behind.
pub(super) const BUILD: [&str; 4] = ["build", "--layers", "--force-rm", "--format=docker"];

struct Podman(Docker);

/// podman, where it answers.
pub(super) fn find() -> Found {
    let program = "podman";
    let answer = child::ask(program, &["version", "--format", "{{.Client.Version}}"]);
    let answer = answer.map_err(|stopped| stopped.error(program))?;
    if !answer.succeeded() {
        let said = answer.said();
        let why = said.lines().last().unwrap_or_default();
        return Err(EngineError::Unusable(format!(
            "podman does not answer: {why}"
        )));
    }
    let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    Ok(Box::new(Podman(Docker { program, version })))
}

impl Engine for Podman {
    fn name(&self) -> String {
        self.0.name()
    }

    fn can_build(&self) -> Result<(), EngineError> {
        Ok(())
    }

    fn build(&self, wanted: &Wanted<'_>, progress: Progress<'_>) -> Result<Built, EngineError> {
        build(self.0.program, &BUILD, wanted, progress)
    }

    fn config(&self, image: &str) -> Result<serde_json::Value, EngineError> {
        self.0.config(image)
    }

    fn save(&self, image: &str) -> Result<Box<dyn Read + Send>, EngineError> {
        self.0.save(image)
    }

    fn run(&self, image: &str, run: &Run<'_>) -> Result<Option<Ran>, EngineError> {
        self.0.run(image, run)
    }

    fn start(
        &self,
        image: &str,
        port: u16,
    ) -> Result<Option<Box<dyn Container + '_>>, EngineError> {
        self.0.start(image, port)
    }

    fn remove(&self, image: &str) {
        self.0.remove(image);
    }
}

/// A build by the builder that podman and buildah share.
pub(super) fn build(
    program: &'static str,
    command: &[&str],
    wanted: &Wanted<'_>,
    progress: Progress<'_>,
) -> Result<Built, EngineError> {
    let options = Options::of(wanted)?;
    let ignore = wanted.ignore.and_then(|path| path.to_str());
    let ignore = ignore.map(|path| format!("--ignorefile={path}"));
    // It says which containers it makes nowhere else.
    let mut args = vec!["--log-level=debug"];
    args.extend(command);
    args.extend(ignore.as_deref());
    args.extend(options.words());
    let start = Instant::now();
    let mut working = Working::new(program)?;
    let ended = child::run_group(program, &args, &mut |line| match is_log(line) {
        true => working.line(line),
        false => progress(line),
    });
    if matches!(ended, Err(Stopped::Interrupted)) {
        working.remove();
    }
    // It prints its steps on standard output, or on standard error, as its version will have it.
    let mut ended = ended.map_err(|stopped| stopped.error(program))?;
    ended.stderr = without_log(&ended.stderr);
    if !ended.succeeded() {
        return Err(failed_build(&ended));
    }
    let mut steps = Steps::default();
    for told in [&ended.stdout, &ended.stderr] {
        String::from_utf8_lossy(told)
            .lines()
            .for_each(|line| steps.line(line));
    }
    Ok(Built {
        steps: steps.steps(),
        seconds: start.elapsed().as_secs_f64(),
        provenance: None,
    })
}

/// The configuration of an image as `inspect` of podman and buildah print it, by the name of the field that holds it.
pub(super) fn inspected(
    program: &'static str,
    args: &[&str],
    image: &str,
) -> Result<serde_json::Value, EngineError> {
    let stdout = asked(program, args)?;
    serde_json::from_slice(&stdout).map_err(|error| {
        EngineError::Failed(format!(
            "the configuration of `{image}` cannot be read: {error}"
        ))
    })
}
