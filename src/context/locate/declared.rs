//! The builds that the files of a workspace declare: who builds which Dockerfile, from where, and with what.
//!
//! A value that only the tool can evaluate (a variable, a template) is kept as unreadable and never guessed. The
//! search is bounded, and says so when it hit its bounds.

use super::value::{Value, pair};
use super::{bake, compose, inline, script, workflow};
use crate::context::path;
use crate::context::{BuildContext, Kind};
use std::collections::{BTreeMap, VecDeque};

/// How many names in directories are looked at, the outer ones first.
const MAX_NAMES: usize = 400_000;

/// How many files are read, and how much of each, in bytes.
const MAX_FILES: usize = 2_000;
const MAX_FILE: usize = 1 << 20;

/// Directories that hold other people's files, or none that declare a build.
const SKIPPED: [&str; 9] = [
    "node_modules",
    "vendor",
    "third_party",
    "target",
    "venv",
    "__pycache__",
    "site-packages",
    "bower_components",
    "testdata",
];

/// Everything that the workspace declares.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// The builds, in the order of their files.
    pub builds: Vec<DeclaredBuild>,
    /// The builds of Dockerfiles that a compose file holds itself; their `dockerfile` is not known.
    pub inline: Vec<DeclaredBuild>,
    /// Files that could not be read, and why.
    pub broken: Vec<(String, String)>,
    /// Whether the search left something out because there was too much.
    pub truncated: bool,
}

/// One build that a file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredBuild {
    /// Path of the file in the workspace.
    pub file: String,
    /// Which part of it, as ``service `web` ``.
    pub part: String,
    /// The context directory.
    pub context: Place,
    /// Path of the Dockerfile in the workspace, where it is known.
    pub dockerfile: Option<String>,
    /// The stage that is built; `None` for the last one.
    pub target: Option<Text>,
    /// Build arguments; `None` for a value from elsewhere.
    pub args: BTreeMap<String, Option<String>>,
    /// Named contexts, by name: a directory, an image; `None` for what another build makes, or is not known.
    pub named_contexts: BTreeMap<String, Option<Place>>,
}

/// A text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// It is what it says.
    Literal(String),
    /// Something in it is put in by the tool.
    Unreadable(String),
}

/// Where a directory is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At this path of the workspace.
    Inside(String),
    /// Elsewhere on the disk.
    Outside(String),
    /// A URL, a git repository or standard input.
    Remote(String),
    /// Not to be known from the file.
    Unreadable(String),
}

/// A build as a file writes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) context: Option<Text>,
    pub(super) dockerfile: Option<Text>,
    pub(super) target: Option<Text>,
    pub(super) args: Vec<(String, Option<String>)>,
    pub(super) named_contexts: Vec<(String, Option<String>)>,
}

/// What the path of a Dockerfile is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DockerfileIn {
    /// The context: compose and bake.
    Context,
    /// The directory that the command runs in: `docker build --file`.
    WorkingDirectory,
}

impl Text {
    /// `text`, unreadable if it holds `mark`, which begins what the tool puts in.
    pub(super) fn new(text: &str, mark: &str) -> Self {
        if text.contains(mark) {
            Self::Unreadable(text.to_owned())
        } else {
            Self::Literal(text.to_owned())
        }
    }

    /// The text of `value`.
    pub(super) fn of(value: &Value, mark: &str) -> Option<Self> {
        match value {
            Value::Text(text) => Some(Self::new(text, mark)),
            Value::Null => None,
            Value::Opaque | Value::List(_) | Value::Map(_) => {
                Some(Self::Unreadable("an expression".to_owned()))
            }
        }
    }
}

impl Place {
    fn new(directory: &str, text: &Text) -> Self {
        let text = match text {
            Text::Unreadable(text) => return Self::Unreadable(text.clone()),
            Text::Literal(text) => text,
        };
        let is_remote = text == "-"
            || text.contains("://")
            || text.starts_with("git@")
            || text.starts_with("github.com/");
        if is_remote {
            return Self::Remote(text.clone());
        }
        path::resolve_from(directory, text)
            .map_or_else(|| Self::Outside(text.clone()), Self::Inside)
    }
}

impl Written {
    /// Reads the keys that compose and bake share, save for the context's default.
    pub(super) fn from_value(build: &Value, mark: &str) -> Self {
        let text = |key: &str| build.get(key).and_then(|value| Text::of(value, mark));
        let known = |pairs: Vec<(String, Option<String>)>| {
            let literal = |value: Option<String>| value.filter(|value| !value.contains(mark));
            pairs
                .into_iter()
                .map(|(key, value)| (key, literal(value)))
                .collect()
        };
        let pairs = |key: &str| known(build.get(key).map(Value::pairs).unwrap_or_default());
        Self {
            context: text("context"),
            dockerfile: text("dockerfile"),
            target: text("target").filter(|target| *target != Text::Literal(String::new())),
            args: pairs("args"),
            named_contexts: [pairs("contexts"), pairs("additional_contexts")].concat(),
        }
    }

    /// The build, run in `directory` of the workspace.
    pub(super) fn declare(
        self,
        file: &str,
        part: String,
        directory: &str,
        dockerfile_in: DockerfileIn,
    ) -> DeclaredBuild {
        let context = Place::new(
            directory,
            &self.context.unwrap_or(Text::Literal(".".to_owned())),
        );
        let base = match (&context, dockerfile_in, &self.dockerfile) {
            (_, DockerfileIn::WorkingDirectory, Some(_)) => Some(directory),
            (Place::Inside(context), ..) => Some(context.as_str()),
            _ => None,
        };
        let dockerfile = match self
            .dockerfile
            .unwrap_or(Text::Literal("Dockerfile".to_owned()))
        {
            Text::Literal(dockerfile) => {
                base.and_then(|base| path::resolve_from(base, &dockerfile))
            }
            Text::Unreadable(_) => None,
        };
        DeclaredBuild {
            file: file.to_owned(),
            part,
            context,
            dockerfile,
            target: self.target,
            args: self.args.into_iter().collect(),
            named_contexts: self
                .named_contexts
                .into_iter()
                .map(|(name, value)| {
                    (
                        name,
                        value.and_then(|value| named_context(directory, value)),
                    )
                })
                .collect(),
        }
    }
}

/// Where a named context is, for a build that runs in `directory`.
fn named_context(directory: &str, value: String) -> Option<Place> {
    let is_built = ["service:", "target:"]
        .iter()
        .any(|mark| value.starts_with(mark));
    (!is_built).then(|| Place::new(directory, &Text::Literal(value)))
}

/// `key=value` lines, as the inputs of CI actions have them; a line with `mark` has no known value.
pub(super) fn lines_of_pairs(text: &str, mark: &str) -> Vec<(String, Option<String>)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(pair)
        .map(|(key, value)| (key, value.filter(|value| !value.contains(mark))))
        .collect()
}

/// The files of one directory that declare builds, by kind; paths in the workspace.
#[derive(Debug, Default)]
struct Found {
    compose: Vec<String>,
    bake: Vec<String>,
    workflows: Vec<String>,
    scripts: Vec<String>,
}

impl Declared {
    /// Searches the workspace for files that declare builds, and reads them. Symlinks are not followed.
    #[must_use]
    pub fn search(workspace: &dyn BuildContext) -> Self {
        Self::search_up_to(workspace, MAX_NAMES)
    }

    pub(super) fn search_up_to(workspace: &dyn BuildContext, max_names: usize) -> Self {
        let mut declared = Self::default();
        let mut names = 0;
        let mut pending = VecDeque::from([String::new()]);
        let mut reader = Reader {
            workspace,
            left: MAX_FILES,
            broken: Vec::new(),
            truncated: false,
        };
        while let Some(directory) = pending.pop_front() {
            if names > max_names {
                declared.truncated = true;
                break;
            }
            let children = workspace.children(&directory);
            names += children.len();
            let mut found = Found::default();
            for (name, kind) in children {
                let path = path::join(&directory, &name);
                match kind {
                    Kind::Directory if is_searched(&name) => pending.push_back(path),
                    Kind::File => found.sort_in(&directory, path),
                    _ => {}
                }
            }
            found.read(&directory, &mut reader, &mut declared);
        }
        declared.broken = reader.broken;
        declared.truncated |= reader.truncated;
        declared
    }
}

fn is_searched(name: &str) -> bool {
    (!name.starts_with('.') || name == ".github") && !SKIPPED.contains(&name)
}

impl Found {
    fn sort_in(&mut self, directory: &str, path: String) {
        let name = path::file_name(&path).to_ascii_lowercase();
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let kind = if inline::is_compose(&name) {
            &mut self.compose
        } else if name.starts_with("docker-bake.")
            && (name.ends_with(".hcl") || name.ends_with(".json"))
        {
            &mut self.bake
        } else if is_yaml && (directory.ends_with(".github/workflows") || name == ".gitlab-ci.yml")
        {
            &mut self.workflows
        } else if name.ends_with(".sh")
            || name.ends_with(".mk")
            || name == "makefile"
            || name == "gnumakefile"
        {
            &mut self.scripts
        } else {
            return;
        };
        kind.push(path);
    }

    fn read(&self, directory: &str, reader: &mut Reader<'_>, declared: &mut Declared) {
        let builds = &mut declared.builds;
        let compose_files: Vec<_> = self
            .compose
            .iter()
            .filter_map(|file| Some((file.clone(), reader.value(file)?)))
            .collect();
        let (named, inline) = compose::builds(directory, &compose_files);
        builds.extend(named);
        declared.inline.extend(inline);
        let bake_files: Vec<_> = self
            .bake
            .iter()
            .filter_map(|file| Some((file.clone(), reader.value(file)?)))
            .collect();
        builds.extend(bake::builds(directory, &bake_files));
        for file in &self.workflows {
            if let Some(value) = reader.value(file) {
                builds.extend(workflow::builds(file, &value));
            }
        }
        for file in &self.scripts {
            if let Some(text) = reader.text(file) {
                builds.extend(script::builds(reader.workspace, file, &text));
            }
        }
    }
}

/// Reads files and keeps account of what cannot be read.
struct Reader<'a> {
    workspace: &'a dyn BuildContext,
    left: usize,
    broken: Vec<(String, String)>,
    truncated: bool,
}

impl Reader<'_> {
    fn text(&mut self, file: &str) -> Option<String> {
        if self.left == 0 {
            self.truncated = true;
            return None;
        }
        self.left -= 1;
        let bytes = self
            .workspace
            .read(file, MAX_FILE + 1)
            .map_err(|error| error.to_string());
        let text = bytes.and_then(|bytes| match bytes.len() {
            0..=MAX_FILE => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Err("the file is too large to be read".to_owned()),
        });
        self.kept(file, text)
    }

    /// The documents of a YAML, JSON or HCL file as one map.
    fn value(&mut self, file: &str) -> Option<Value> {
        let text = self.text(file)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let value = if file.ends_with(".hcl") {
            Value::from_hcl(text)
        } else {
            let merge = |documents: Vec<Value>| {
                documents
                    .iter()
                    .fold(Value::Map(Vec::new()), |all, one| all.overlaid(one))
            };
            Value::from_yaml(text).map(merge)
        };
        self.kept(file, value)
    }

    fn kept<T>(&mut self, file: &str, result: Result<T, String>) -> Option<T> {
        result
            .map_err(|reason| self.broken.push((file.to_owned(), reason)))
            .ok()
    }
}
