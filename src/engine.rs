//! Container engines, through their command lines: docker with buildx, podman, buildah.
//!
//! Builds images, says how they are configured, hands out their bytes and runs them. What is made here has a name of
//! its own and is removed by that name alone: nothing of the user's is pruned, and an image that the user has under
//! another name stays. No API is spoken, and nothing is pulled unless a Dockerfile asks for it.

mod buildah;
mod child;
mod docker;
mod plain;
mod podman;
pub mod scan;
mod text;
mod working;

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub use child::interrupt;

/// A container engine that answers.
pub trait Engine: Sync {
    /// What it is, for a person: `docker 28.5.2`.
    fn name(&self) -> String;

    /// Whether it can build.
    ///
    /// # Errors
    /// What it lacks.
    fn can_build(&self) -> Result<(), EngineError>;

    /// Builds an image and gives it the name [`Wanted::image`]. Each line that the engine prints goes to `progress`.
    ///
    /// # Errors
    /// [`EngineError::Build`] where the build fails.
    fn build(&self, wanted: &Wanted<'_>, progress: Progress<'_>) -> Result<Built, EngineError>;

    /// The configuration of an image, as `docker image inspect` has it under `Config`.
    ///
    /// # Errors
    /// Where there is no such image, or its configuration cannot be read.
    fn config(&self, image: &str) -> Result<serde_json::Value, EngineError>;

    /// The bytes of an image as a docker-save or OCI archive.
    ///
    /// # Errors
    /// Where there is no such image; what goes wrong later is an error of the reader.
    fn save(&self, image: &str) -> Result<Box<dyn Read + Send>, EngineError>;

    /// Runs a container of `image` to its end and says what it printed; `None` where the engine runs no containers.
    ///
    /// # Errors
    /// Where it cannot be started, or did not end in time.
    fn run(&self, image: &str, run: &Run<'_>) -> Result<Option<Ran>, EngineError>;

    /// Starts a container of `image` in the background, its port `port` open on this machine's loopback address only;
    /// `None` where the engine runs no containers.
    ///
    /// # Errors
    /// Where it cannot be started.
    fn start(&self, image: &str, port: u16)
    -> Result<Option<Box<dyn Container + '_>>, EngineError>;

    /// Takes the name `image` away; its layers go where nothing else needs them.
    fn remove(&self, image: &str);
}

/// A container that runs in the background and is removed when this is dropped.
pub trait Container {
    /// The address at which its port answers, as `127.0.0.1:32768`.
    ///
    /// # Errors
    /// Where it has ended.
    fn address(&self) -> Result<String, EngineError>;

    /// What it has printed so far.
    fn logs(&self) -> String;
}

/// Takes lines that an engine prints while it builds.
pub type Progress<'a> = &'a mut dyn FnMut(&str);

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The name that the image gets, one of [`own_name`].
    pub image: &'a str,
    /// The Dockerfile.
    pub dockerfile: &'a Path,
    /// The ignore file that counts, wherever it lies.
    pub ignore: Option<&'a Path>,
    /// The build context.
    pub context: &'a Path,
    /// The stage, where it is not the last one.
    pub target: Option<&'a str>,
    /// `NAME=value`, for `--build-arg`.
    pub build_args: &'a [String],
    /// `NAME=value`, for `--build-context`.
    pub build_contexts: &'a [String],
    /// The network of RUN steps, where it is not the engine's own choice.
    pub network: Option<&'a str>,
    /// Whether every step is to run, whatever the cache holds.
    pub fresh: bool,
    /// Whether [`Built::provenance`] is wanted.
    pub provenance: bool,
}

/// An image that was built, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Built {
    /// What became of each step, in the order in which the engine speaks of them.
    pub steps: Vec<BuiltStep>,
    /// Seconds from start to end.
    pub seconds: f64,
    /// The predicate of BuildKit's provenance with `mode=max`, where it was asked for and the engine has it.
    pub provenance: Option<serde_json::Value>,
}

/// A step of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltStep {
    /// The instruction, as the engine shows it.
    pub text: String,
    /// Whether it came from the cache.
    pub cached: bool,
}

impl Built {
    /// How many steps ran.
    pub fn ran(&self) -> usize {
        self.steps.iter().filter(|step| !step.cached).count()
    }
}

/// What a container is to run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The words to run in place of the image's own entrypoint and command; empty: those.
    pub command: &'a [String],
    /// How long it may take.
    pub limit: Duration,
}

/// What a container printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Its exit status.
    pub status: i32,
}

/// Which engine to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Choice {
    /// The first that answers: docker, podman, buildah.
    #[default]
    Auto,
    /// docker with buildx
    Docker,
    /// podman
    Podman,
    /// buildah, which builds and runs nothing
    Buildah,
}

/// Why an engine did not do what it was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineError {
    /// There is no such command.
    NotInstalled(&'static str),
    /// There is no command of any engine.
    NoneInstalled,
    /// The engine cannot be used; why, and what would help.
    Unusable(String),
    /// The build failed; the end of what the engine printed.
    Build(String),
    /// Another command of the engine failed.
    Failed(String),
    /// The user stopped it.
    Interrupted,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled(command) => {
                write!(f, "`{command}` is not installed: there is no such command")
            }
            Self::NoneInstalled => f.write_str(
                "no container engine is installed: there is no `docker`, `podman` or `buildah` command",
            ),
            Self::Unusable(why) | Self::Failed(why) => f.write_str(why),
            Self::Build(said) => write!(f, "the build failed:\n{said}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for EngineError {}

/// The engine that `choice` means, once it has answered.
///
/// # Errors
/// Why none can be used: where none of several can, what is wrong with each that is installed.
pub fn find(choice: Choice) -> Result<Box<dyn Engine>, EngineError> {
    let tried: &[fn() -> Found] = match choice {
        Choice::Auto => &[docker::find, podman::find, buildah::find],
        Choice::Docker => &[docker::find],
        Choice::Podman => &[podman::find],
        Choice::Buildah => &[buildah::find],
    };
    let mut reasons = Vec::new();
    for find in tried {
        match find() {
            Ok(engine) => return Ok(engine),
            Err(EngineError::NotInstalled(_)) if choice == Choice::Auto => {}
            Err(EngineError::Unusable(why)) => reasons.push(why),
            Err(error) => return Err(error),
        }
    }
    match reasons.is_empty() {
        true => Err(EngineError::NoneInstalled),
        false => Err(EngineError::Unusable(reasons.join("; "))),
    }
}

/// The same for an engine that is to build.
///
/// # Errors
/// As [`find`], and what the engine lacks.
pub fn find_builder(choice: Choice) -> Result<Box<dyn Engine>, EngineError> {
    let engine = find(choice)?;
    engine.can_build()?;
    Ok(engine)
}

/// What the search for one engine ends with.
type Found = Result<Box<dyn Engine>, EngineError>;

/// A name that nothing else has, for an image or container.
pub fn own_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_micros();
    format!("dockeropt-{}-{now}-{count}", std::process::id())
}
