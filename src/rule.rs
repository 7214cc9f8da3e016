//! Rules: what dockeropt knows, one TOML file each, and the closed vocabularies that they use.
//!
//! A rule holds no code. What it does is a declarative [`Pattern`], or a coded pass that it names. Nothing here
//! reads a disk: the shipped rules are part of the program, a team's own come as text.

mod builtin;
pub(crate) mod name;
mod node;
mod option;
mod parse;
mod pattern;
pub(crate) mod read;
mod table;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

pub use self::builtin::builtin;
pub use self::name::UnknownName;
pub use self::option::{Form, RuleOption};
pub use self::parse::{parse, parse_declarative};
pub use self::pattern::{DISTROS, Glob, Match, Pattern, Rewrite};
pub use self::table::{Row, markdown, rows};

/// When a rule runs: phases are the only order there is; inside a phase order must not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Spelling that later phases rely on.
    Normalize,
    /// Build stages.
    Stages,
    /// Base images: behind the stages, for the stage that ships may have a small one by then.
    Bases,
    /// Manifests first, volatile instructions last.
    Order,
    /// Steps joined where bytes or correctness are won: before the commands, so that a joined step is cleaned up once.
    Layers,
    /// Package managers: flags, and cleanup in the same step.
    Commands,
    /// Cache mounts.
    Cache,
    /// `.dockerignore`.
    Files,
}

/// How sure a fix is, defined by the image and not by the text; ordered, the surest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Shown, never written.
    Suggestion,
    /// Very likely wanted, but file and context cannot prove that nothing else changes.
    Unsafe,
    /// Same configuration and files, save package indexes and package caches.
    Safe,
}

/// What becomes of the caches that package managers fill: the whole chain cleans them, or mounts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheStyle {
    /// Deleted, or never written, in the step that would leave them in the image.
    Clean,
    /// Kept between builds in `RUN --mount=type=cache`.
    Mount,
}

/// What a rule may change in the meaning of a file: the guard lets nothing else through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Step boundaries: the same commands, in the same order, in the same state.
    Layers,
    /// Commands that only delete package caches or indexes, flags that only disable caches, cache mounts over them.
    Caches,
    /// Flags that make an install smaller.
    Packages,
    /// Flags that say from where packages are installed: an organization's own mirror.
    Registries,
    /// Steps moved past steps that they do not interfere with.
    Order,
    /// A COPY preceded by a COPY of part of its sources to the same places.
    Sources,
    /// Steps that only fetch what a later step of the same stage installs anyway.
    Prefetch,
    /// A build directory kept in a cache mount, with commands that delete in it what an earlier build left of single
    /// packages, and that copy out of it what the build left there.
    BuildCache,
    /// Flags that answer a prompt with yes.
    AssumeYes,
    /// Commands that only delete a file that the same step downloaded.
    Temp,
    /// Ownership or mode moved from a RUN into the COPY that it follows.
    CopyMode,
    /// A stage inserted, and steps of the shipped stage moved into it.
    Stages,
    /// A last step of a builder stage that deletes what only the development of a project needs.
    Prune,
    /// The last COPYs of a stage that does not ship, where no other stage takes what they bring.
    UnusedCopies,
    /// Another base image for the stage.
    Base,
    /// The small image of the same tag as base of the stage, where no step calls what the full one has.
    SmallBase,
    /// That one key of the image configuration, one of [`CONFIG_KEYS`].
    Config(String),
    /// That file, relative to the build context.
    File(String),
}

/// The keys of the image configuration that `config:<key>` may name.
pub const CONFIG_KEYS: [&str; 13] = [
    "author",
    "cmd",
    "entrypoint",
    "env",
    "expose",
    "healthcheck",
    "labels",
    "onbuild",
    "shell",
    "stopsignal",
    "user",
    "volumes",
    "workdir",
];

/// One thing that dockeropt knows: a file `rules/<id>.toml`. What no configuration changes is shared between clones.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Kebab-case, the thing wanted, tool first; the file's name. Stable once released.
    pub id: String,
    /// One line, imperative.
    pub summary: String,
    /// When it runs.
    pub phase: Phase,
    /// The best that it can claim.
    pub applicability: Applicability,
    /// What its patches may change; empty for a change of spelling only (`none` in the file).
    pub effects: Vec<Effect>,
    /// Why a reader should want it, and what makes it unsafe.
    pub why: Arc<str>,
    /// When it declines, one reason a line, for `explain` and the documentation.
    pub declines: Arc<[String]>,
    /// Whether it runs; in a file, `false` means off unless configured.
    pub enabled: bool,
    /// It runs under this `cache = …` of the configuration only; `None`: under both.
    pub cache: Option<CacheStyle>,
    /// The corresponding checks of hadolint (`DL3009`) and BuildKit (`LegacyKeyValueFormat`): a comment that
    /// suppresses one of them suppresses this rule.
    pub aliases: Vec<String>,
    /// What one finding saves.
    pub estimate: Option<Estimate>,
    /// What users may set, with what is allowed. The values in force are in [`Action::Pass`].
    pub options: BTreeMap<String, RuleOption>,
    /// How it is done.
    pub action: Action,
    /// Dockerfiles before and after; the first one shows the rule at work.
    pub examples: Arc<[Example]>,
}

/// How many bytes of the image one finding saves: a range, never a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// How many.
    #[serde(flatten)]
    pub saving: Saving,
    /// Where the figures come from.
    pub source: String,
}

/// A range of bytes that the image loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Saving {
    /// The least, in bytes.
    pub low: u64,
    /// The most, in bytes.
    pub high: u64,
}

/// How a rule is done.
#[derive(Debug, Clone)]
pub enum Action {
    /// A coded pass by name, with what users may set and what it knows.
    Pass {
        /// The pass: the name of its file under `src/passes/`, in kebab-case.
        name: String,
        /// The options in force: the default of each, or what the configuration says.
        options: toml::Table,
        /// Knowledge: `[data]` as JSON.
        data: Arc<str>,
    },
    /// Declarative: `[match]` and `[rewrite]`.
    Pattern(Box<Pattern>),
}

/// An example of a rule: `after` is what the rule alone makes of `before`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The Dockerfile before.
    pub before: String,
    /// The Dockerfile after; equal to `before` where the rule declines, or only reports.
    pub after: String,
    /// The build context: path and content of each file. Empty: the context is not known.
    pub files: BTreeMap<String, String>,
    /// The files of the context that the rule writes: path, and content after it.
    pub writes: BTreeMap<String, String>,
}

/// A rule that could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The file.
    pub path: PathBuf,
    /// The 1-based line.
    pub line: u32,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

impl std::error::Error for RuleError {}

impl Saving {
    /// This and another one together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            high: self.high.saturating_add(other.high),
        }
    }
}

impl Phase {
    /// Every phase, in the order in which they run.
    pub const ALL: [Self; 8] = [
        Self::Normalize,
        Self::Stages,
        Self::Bases,
        Self::Order,
        Self::Layers,
        Self::Commands,
        Self::Cache,
        Self::Files,
    ];
}

impl Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Normalize => "normalize",
            Self::Stages => "stages",
            Self::Bases => "bases",
            Self::Order => "order",
            Self::Layers => "layers",
            Self::Commands => "commands",
            Self::Cache => "cache",
            Self::Files => "files",
        })
    }
}

impl FromStr for Phase {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        name::find("phase", name, &Self::ALL)
    }
}

impl Applicability {
    /// Every applicability, the surest last.
    pub const ALL: [Self; 3] = [Self::Suggestion, Self::Unsafe, Self::Safe];
}

impl Display for Applicability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Suggestion => "suggestion",
            Self::Unsafe => "unsafe",
            Self::Safe => "safe",
        })
    }
}

impl FromStr for Applicability {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        name::find("applicability", name, &Self::ALL)
    }
}

impl Display for CacheStyle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Clean => "clean",
            Self::Mount => "mount",
        })
    }
}

impl FromStr for CacheStyle {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        name::find("cache style", name, &[Self::Clean, Self::Mount])
    }
}

impl Effect {
    /// Every effect that has no parameter.
    pub const PLAIN: [Self; 16] = [
        Self::Layers,
        Self::Caches,
        Self::Packages,
        Self::Registries,
        Self::Order,
        Self::Sources,
        Self::Prefetch,
        Self::BuildCache,
        Self::AssumeYes,
        Self::Temp,
        Self::CopyMode,
        Self::Stages,
        Self::Prune,
        Self::UnusedCopies,
        Self::Base,
        Self::SmallBase,
    ];
}

impl Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Layers => "layers",
            Self::Caches => "caches",
            Self::Packages => "packages",
            Self::Registries => "registries",
            Self::Order => "order",
            Self::Sources => "sources",
            Self::Prefetch => "prefetch",
            Self::BuildCache => "build-cache",
            Self::AssumeYes => "assume-yes",
            Self::Temp => "temp",
            Self::CopyMode => "copy-mode",
            Self::Stages => "stages",
            Self::Prune => "prune",
            Self::UnusedCopies => "unused-copies",
            Self::Base => "base",
            Self::SmallBase => "small-base",
            Self::Config(key) => return write!(f, "config:{key}"),
            Self::File(path) => return write!(f, "file:{path}"),
        })
    }
}

impl FromStr for Effect {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        if let Some(key) = name.strip_prefix("config:") {
            let key = name::find("key of the image configuration", key, &CONFIG_KEYS)?;
            return Ok(Self::Config(key.to_owned()));
        }
        if let Some(path) = name.strip_prefix("file:").filter(|path| is_inside(path)) {
            return Ok(Self::File(path.to_owned()));
        }
        Self::PLAIN
            .into_iter()
            .find(|effect| effect.to_string() == name)
            .ok_or_else(|| {
                let plain = Self::PLAIN.iter().map(Self::to_string);
                let others = ["none", "config:<key>", "file:<path>"].map(str::to_owned);
                UnknownName::new("effect", name, plain.chain(others))
            })
    }
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Rule {
    /// The text that is in force for option `name`; `None` where that is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.option(name).and_then(toml::Value::as_str);
        text.filter(|text| !text.is_empty())
    }

    /// The texts that are in force for option `name`, a list.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let list = self.option(name).and_then(toml::Value::as_array);
        list.into_iter().flatten().filter_map(toml::Value::as_str)
    }

    /// The value of option `name` that is in force.
    pub fn option(&self, name: &str) -> Option<&toml::Value> {
        match &self.action {
            Action::Pass { options, .. } => options.get(name),
            Action::Pattern(_) => None,
        }
    }

    /// Whether a comment that suppresses `code` means this rule: its id, or one of its aliases in any case.
    pub fn answers_to(&self, code: &str) -> bool {
        self.id == code
            || self
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(code))
    }
}

/// Whether `path` is relative and stays where it starts.
fn is_inside(path: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(is_plain)
}
