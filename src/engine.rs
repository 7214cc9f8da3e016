//! Container engines, through their command lines: what they hold is read from what they print.
//!
//! Nothing is kept in an engine and nothing of it is removed. A command that is no longer read is stopped.

use std::fmt::{self, Display};
use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

/// An engine that is asked by its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `docker`.
    Docker,
    /// `podman`.
    Podman,
}

/// Why an engine did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineError {
    /// Its command is not there.
    NotInstalled(Engine),
    /// None of the commands is there.
    NoneInstalled,
    /// Its daemon does not answer.
    NotRunning(Engine),
    /// Its daemon may not be asked.
    NoPermission(Engine),
    /// It has no image of that name.
    NoImage(Engine, String),
    /// Anything else, in its own words.
    Failed(Engine, String),
}

/// As much of what an engine complains about is kept, in bytes.
const COMPLAINTS: u64 = 64 << 10;

impl Engine {
    /// The engine whose command is there: Docker where both are.
    ///
    /// # Errors
    /// Neither is.
    pub fn found() -> Result<Self, EngineError> {
        let all = [Self::Docker, Self::Podman].into_iter();
        let there = |engine: &Self| {
            let mut command = Command::new(engine.command());
            let command = command.arg("--version").stdin(Stdio::null());
            let command = command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok()
        };
        all.into_iter()
            .find(there)
            .ok_or(EngineError::NoneInstalled)
    }

    /// Starts to save an image as an archive.
    ///
    /// # Errors
    /// The engine's command cannot be run. What else is wrong [`Saved::finish`] says.
    pub fn save(self, image: &str) -> Result<Saved, EngineError> {
        let mut command = Command::new(self.command());
        // No name of an image starts with a dash; the engine takes what does for a flag.
        let command = match self {
            Self::Docker => command.args(["image", "save", "--", image]),
            Self::Podman => command.args(["image", "save", "--format=oci-archive", "--", image]),
        };
        let command = command.stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => EngineError::NotInstalled(self),
            _ => EngineError::Failed(self, error.to_string()),
        })?;
        let complaints = child.stderr.take().map(|errors| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                // What cannot be read is not said.
                let mut errors = errors;
                let _ = (&mut errors).take(COMPLAINTS).read_to_end(&mut text);
                let _ = io::copy(&mut errors, &mut io::sink());
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Saved {
            engine: self,
            image: image.to_owned(),
            output: child.stdout.take(),
            child,
            complaints,
        })
    }

    fn command(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// What the engine means by what it complains about.
    fn error(self, image: &str, complaints: &str) -> EngineError {
        let text = complaints.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if says(&["permission denied"]) {
            EngineError::NoPermission(self)
        } else if says(&[
            "cannot connect to",
            "is the docker daemon running",
            "failed to connect",
        ]) {
            EngineError::NotRunning(self)
        } else if says(&[
            "reference does not exist",
            "no such image",
            "image not known",
        ]) {
            EngineError::NoImage(self, image.to_owned())
        } else {
            let last = complaints.lines().rfind(|line| !line.trim().is_empty());
            EngineError::Failed(self, last.unwrap_or("it says nothing").trim().to_owned())
        }
    }
}

/// The archive of an image, while the engine writes it.
#[derive(Debug)]
pub struct Saved {
    engine: Engine,
    image: String,
    child: Child,
    output: Option<ChildStdout>,
    complaints: Option<JoinHandle<String>>,
}

impl Read for Saved {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output
            .as_mut()
            .map_or(Ok(0), |output| output.read(buffer))
    }
}

impl Saved {
    /// Waits for the engine.
    ///
    /// # Errors
    /// What it failed at.
    pub fn finish(mut self) -> Result<(), EngineError> {
        let failed = |error: io::Error| EngineError::Failed(self.engine, error.to_string());
        self.output = None;
        let status = self.child.wait().map_err(failed)?;
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok());
        match status.success() {
            true => Ok(()),
            false => Err(self
                .engine
                .error(&self.image, &complaints.unwrap_or_default())),
        }
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        // It may have ended; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

impl Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled(engine) => {
                write!(f, "{engine} is not installed: there is no `{}` command", engine.command())
            }
            Self::NoneInstalled => f.write_str(
                "no container engine is installed: there is neither a `docker` nor a `podman` command",
            ),
            Self::NotRunning(engine) => write!(f, "{engine} is not running"),
            Self::NoPermission(engine) => write!(f, "no permission to use {engine}"),
            Self::NoImage(engine, image) => write!(f, "{engine} has no image `{image}`"),
            Self::Failed(engine, message) => write!(f, "{engine} failed: {message}"),
        }
    }
}

impl std::error::Error for EngineError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_understood() {
        let check = |complaints: &str, expected: &str| {
            assert_eq!(
                Engine::Docker.error("a:1", complaints).to_string(),
                expected
            );
        };
        check(
            "Error response from daemon: reference does not exist\n",
            "Docker has no image `a:1`",
        );
        check(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "Docker is not running",
        );
        check(
            "permission denied while trying to connect to the Docker daemon socket",
            "no permission to use Docker",
        );
        check("Error: a\nError: b\n\n", "Docker failed: Error: b");
    }
}
