//! docker, 23 or newer, with buildx: BuildKit builds, and the image is loaded into the engine's own store.

use std::io::Read;
use std::time::Instant;

use super::child::{self, Ended};
use super::plain::Plain;
use super::{Built, Container, Engine, EngineError, Found, Progress, Ran, Run, Wanted, own_name};

/// The oldest engine whose default builder is BuildKit.
const OLDEST: u32 = 23;

/// As many lines of a failed build are shown.
const SHOWN: usize = 40;

/// docker, or podman where the two take the same arguments.
pub(super) struct Docker {
    pub(super) program: &'static str,
    pub(super) version: String,
}

/// docker, where it answers.
pub(super) fn find() -> Found {
    let program = "docker";
    let answer = child::ask(program, &["version", "--format", "{{.Server.Version}}"])
        .map_err(|stopped| stopped.error(program))?;
    if !answer.succeeded() {
        return Err(EngineError::Unusable(unusable(&answer.said())));
    }
    let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    Ok(Box::new(Docker { program, version }))
}

/// What the answer of a docker that cannot be used means.
fn unusable(said: &str) -> String {
    let lower = said.to_lowercase();
    if lower.contains("permission denied") {
        return "docker does not let this user in: join the group `docker`, or use rootless docker"
            .to_owned();
    }
    if lower.contains("cannot connect")
        || lower.contains("failed to connect")
        || lower.contains("is the docker daemon running")
    {
        return "the docker daemon is not running: start it".to_owned();
    }
    format!(
        "docker does not answer: {}",
        said.lines().last().unwrap_or_default()
    )
}

/// Whether BuildKit is not yet its builder; what is no version may be new enough.
fn is_too_old(version: &str) -> bool {
    let major = version.split('.').next();
    let major = major.and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major < OLDEST)
}

impl Engine for Docker {
    fn name(&self) -> String {
        format!("{} {}", self.program, self.version)
    }

    fn can_build(&self) -> Result<(), EngineError> {
        let version = &self.version;
        if is_too_old(version) {
            return Err(EngineError::Unusable(format!(
                "docker {version} is too old: {OLDEST} or newer is needed"
            )));
        }
        let buildx = child::ask(self.program, &["buildx", "version"]);
        match buildx.map_err(|stopped| stopped.error(self.program))? {
            buildx if buildx.succeeded() => Ok(()),
            _ => Err(EngineError::Unusable(format!(
                "docker {version} has no buildx, and so no BuildKit: install the buildx plugin"
            ))),
        }
    }

    fn build(&self, wanted: &Wanted<'_>, progress: Progress<'_>) -> Result<Built, EngineError> {
        let options = Options::of(wanted)?;
        let mut args = vec!["buildx", "build", "--load", "--progress=plain"];
        let told = wanted.provenance.then(Told::new).transpose()?;
        args.extend(told.iter().filter_map(Told::words).flatten());
        args.extend(options.words());
        let start = Instant::now();
        let mut plain = Plain::default();
        let ended = child::run(self.program, &args, None, &mut |line| {
            plain.line(line);
            progress(line);
        });
        let ended = ended.map_err(|stopped| stopped.error(self.program))?;
        if !ended.succeeded() {
            return Err(failed_build(&ended));
        }
        Ok(Built {
            steps: plain.steps(),
            seconds: start.elapsed().as_secs_f64(),
            provenance: told.and_then(|told| told.provenance()),
        })
    }

    fn config(&self, image: &str) -> Result<serde_json::Value, EngineError> {
        let args = ["image", "inspect", "--format", "{{json .Config}}", image];
        let stdout = asked(self.program, &args)?;
        serde_json::from_slice(&stdout).map_err(|error| {
            EngineError::Failed(format!(
                "the configuration of `{image}` cannot be read: {error}"
            ))
        })
    }

    fn save(&self, image: &str) -> Result<Box<dyn Read + Send>, EngineError> {
        // An image that is not there is said at once, and not while its bytes are read.
        asked(
            self.program,
            &["image", "inspect", "--format", "{{.Id}}", image],
        )?;
        let stream = child::stream(self.program, &["save", image]);
        let stream = stream.map_err(|stopped| stopped.error(self.program))?;
        Ok(Box::new(stream))
    }

    fn run(&self, image: &str, run: &Run<'_>) -> Result<Option<Ran>, EngineError> {
        let name = own_name();
        let mut args = vec!["run", "--rm", "--name", &name];
        if let Some(entrypoint) = run.command.first() {
            args.extend(["--entrypoint", entrypoint]);
        }
        args.push(image);
        args.extend(run.command.iter().skip(1).map(String::as_str));
        let running = Removed {
            program: self.program,
            name: &name,
        };
        let ended = child::run(self.program, &args, Some(run.limit), &mut |_| {});
        drop(running);
        let ended = ended.map_err(|stopped| stopped.error(self.program))?;
        match ended.status {
            // 125: the engine itself could not start it.
            None | Some(125) => Err(EngineError::Failed(ended.said())),
            Some(status) => Ok(Some(Ran {
                stdout: ended.stdout,
                stderr: ended.stderr,
                status,
            })),
        }
    }

    fn start(
        &self,
        image: &str,
        port: u16,
    ) -> Result<Option<Box<dyn Container + '_>>, EngineError> {
        let name = own_name();
        let publish = format!("127.0.0.1::{port}");
        let args = [
            "run",
            "--detach",
            "--name",
            &name,
            "--publish",
            &publish,
            image,
        ];
        let started = Started {
            program: self.program,
            name: name.clone(),
            port,
        };
        asked(self.program, &args)?;
        Ok(Some(Box::new(started)))
    }

    fn remove(&self, image: &str) {
        child::clean(self.program, &["image", "rm", image]);
    }
}

/// The file to which buildx writes what it knows of a build.
struct Told(tempfile::NamedTempFile);

impl Told {
    fn new() -> Result<Self, EngineError> {
        let file = tempfile::NamedTempFile::new();
        let file = file.map_err(|error| EngineError::Failed(error.to_string()))?;
        Ok(Self(file))
    }

    fn words(&self) -> Option<[&str; 2]> {
        Some(["--metadata-file", self.0.path().to_str()?])
    }

    fn provenance(&self) -> Option<serde_json::Value> {
        let text = std::fs::read(self.0.path()).ok()?;
        let mut told: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(told.get_mut("buildx.build.provenance")?.take())
    }
}

/// A container that is removed, whatever became of it.
struct Removed<'a> {
    program: &'a str,
    name: &'a str,
}

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        child::clean(self.program, &["rm", "--force", "--volumes", self.name]);
    }
}

/// A container in the background.
struct Started {
    program: &'static str,
    name: String,
    port: u16,
}

impl Container for Started {
    fn address(&self) -> Result<String, EngineError> {
        let port = self.port.to_string();
        let answer = asked(self.program, &["port", &self.name, &port])?;
        let answer = String::from_utf8_lossy(&answer);
        let address = answer.lines().next().unwrap_or_default().trim();
        match address.is_empty() {
            true => Err(EngineError::Failed("the container has ended".to_owned())),
            false => Ok(address.to_owned()),
        }
    }

    fn logs(&self) -> String {
        let ended = child::ask(self.program, &["logs", &self.name]);
        ended.map_or_else(|_| String::new(), |ended| ended.said())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        drop(Removed {
            program: self.program,
            name: &self.name,
        });
    }
}

/// What a build is asked for, as all engines spell it.
pub(super) struct Options(Vec<String>);

impl Options {
    /// The options of a build, the context last.
    ///
    /// # Errors
    /// Where a path cannot be handed to the engine.
    pub(super) fn of(wanted: &Wanted<'_>) -> Result<Self, EngineError> {
        let path = |path: &std::path::Path| match path.to_str() {
            Some(path) => Ok(path.to_owned()),
            None => Err(EngineError::Failed(format!(
                "`{}` is not UTF-8",
                path.display()
            ))),
        };
        let mut words = vec!["--tag".to_owned(), wanted.image.to_owned()];
        words.extend(["--file".to_owned(), path(wanted.dockerfile)?]);
        let named = [("--target", wanted.target), ("--network", wanted.network)];
        for (option, value) in named {
            words.extend(value.map(|value| format!("{option}={value}")));
        }
        let lists = [
            ("--build-arg", wanted.build_args),
            ("--build-context", wanted.build_contexts),
        ];
        for (option, values) in lists {
            words.extend(values.iter().map(|value| format!("{option}={value}")));
        }
        words.extend(wanted.fresh.then(|| "--no-cache".to_owned()));
        words.push(path(wanted.context)?);
        Ok(Self(words))
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// The end of what a failed build printed.
pub(super) fn failed_build(ended: &Ended) -> EngineError {
    let said = ended.said();
    let lines: Vec<&str> = said.lines().collect();
    let from = lines.len().saturating_sub(SHOWN);
    EngineError::Build(lines[from..].join("\n"))
}

/// The standard output of a command that must succeed.
pub(super) fn asked(program: &'static str, args: &[&str]) -> Result<Vec<u8>, EngineError> {
    let ended = child::ask(program, args).map_err(|stopped| stopped.error(program))?;
    match ended.succeeded() {
        true => Ok(ended.stdout),
        false => Err(EngineError::Failed(ended.said())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_silent_docker_means() {
        let said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        assert_eq!(unusable(said), "the docker daemon is not running: start it");
        let said = "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock";
        assert!(unusable(said).starts_with("docker does not let this user in"));
        assert_eq!(unusable("odd\nanswer"), "docker does not answer: answer");
    }

    #[test]
    fn builders_before_buildkit_are_too_old() {
        assert!(is_too_old("20.10.24"));
        assert!(!is_too_old("23.0.0"));
        assert!(!is_too_old("master-dockerproject"));
    }

    #[test]
    fn options_name_only_what_is_given() {
        let args = ["A=b".to_owned()];
        let wanted = Wanted {
            image: "name",
            dockerfile: "/t/Dockerfile".as_ref(),
            ignore: None,
            context: "/c".as_ref(),
            target: Some("run"),
            build_args: &args,
            build_contexts: &["base=docker-image://debian:12".to_owned()],
            network: None,
            fresh: true,
            provenance: false,
        };
        let options = Options::of(&wanted).expect("paths are UTF-8");
        let words: Vec<&str> = options.words().collect();
        let expected = [
            "--tag",
            "name",
            "--file",
            "/t/Dockerfile",
            "--target=run",
            "--build-arg=A=b",
            "--build-context=base=docker-image://debian:12",
            "--no-cache",
            "/c",
        ];
        assert_eq!(words, expected);
    }
}
