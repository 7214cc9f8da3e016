//! Which build context each Dockerfile has: the one of `--context`, else what its workspace says.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use super::inputs::Input;
use crate::context::locate::{Declared, How, locate};
use crate::model::ModelInput;
use crate::syntax::{Dockerfile, Instruction, Keyword};
use crate::walk::disk::DiskContext;
use crate::walk::{self, PathError};

/// The build contexts of a run. Each workspace is searched once.
pub(super) struct Contexts {
    /// The current folder, absolute.
    here: PathBuf,
    given: Option<Arc<DiskContext>>,
    /// By root.
    workspaces: HashMap<PathBuf, Arc<Workspace>>,
}

/// Where the build context of one Dockerfile is looked for.
pub(super) enum Origin {
    /// It is this one.
    Given(Arc<DiskContext>),
    /// The Dockerfile has this path in that workspace.
    Workspace(Arc<Workspace>, String),
    /// Nowhere: the Dockerfile has no path.
    Nowhere,
}

/// The build context of one Dockerfile.
pub(super) struct Located {
    /// `None` where it is not known.
    pub(super) disk: Option<DiskContext>,
    /// How it was found, or why it was not.
    pub(super) how: String,
    /// What is built and with which arguments, as far as the workspace says.
    pub(super) input: ModelInput,
}

/// A repository or folder, and what its compose, bake and CI files say.
pub(super) struct Workspace {
    disk: DiskContext,
    declared: Declared,
}

impl Contexts {
    /// # Errors
    /// Where `given` is no directory, or the current folder is gone.
    pub(super) fn new(given: Option<&Path>) -> Result<Self> {
        let open = |path: &Path| match DiskContext::new(path) {
            Ok(disk) => Ok(Arc::new(disk)),
            Err(error) => Err(PathError::io(path, &error)),
        };
        Ok(Self {
            here: std::env::current_dir()?,
            given: given.map(open).transpose()?,
            workspaces: HashMap::new(),
        })
    }

    /// Where the context of `input` is looked for.
    pub(super) fn of(&mut self, input: &Input) -> Origin {
        if let Some(given) = &self.given {
            return Origin::Given(Arc::clone(given));
        }
        self.in_workspace(input).unwrap_or(Origin::Nowhere)
    }

    fn in_workspace(&mut self, input: &Input) -> Option<Origin> {
        let path = walk::absolute(&self.here, input.file()?);
        let root = walk::workspace(path.parent()?);
        let inside = path.strip_prefix(&root).ok()?.to_str()?.to_owned();
        let workspace = match self.workspaces.get(&root) {
            Some(workspace) => Arc::clone(workspace),
            None => {
                let workspace = Arc::new(Workspace::new(&root).ok()?);
                self.workspaces.insert(root, Arc::clone(&workspace));
                workspace
            }
        };
        Some(Origin::Workspace(workspace, inside))
    }
}

impl Workspace {
    fn new(root: &Path) -> io::Result<Self> {
        let disk = DiskContext::new(root)?;
        let declared = Declared::search(&disk);
        Ok(Self { disk, declared })
    }
}

impl Origin {
    /// The context of a Dockerfile with that text, and how it was found or why it is not known.
    pub(super) fn context(&self, text: &[u8]) -> Located {
        match self {
            Self::Given(disk) => Located {
                disk: Some(DiskContext::clone(disk)),
                how: How::Given.to_string(),
                input: ModelInput::default(),
            },
            Self::Workspace(workspace, dockerfile) => workspace.context(dockerfile, text),
            Self::Nowhere => Located {
                disk: None,
                how: "the build context is not known: the Dockerfile has no path".to_owned(),
                input: ModelInput::default(),
            },
        }
    }
}

impl Workspace {
    fn context(&self, dockerfile: &str, text: &[u8]) -> Located {
        let copies = copies(&Dockerfile::parse(text));
        let found = locate(&self.disk, &self.declared, dockerfile, &copies, None);
        let directory = found.directory.map(|path| self.disk.root().join(path));
        Located {
            disk: directory.and_then(|path| DiskContext::new(path).ok()),
            how: found.how.to_string(),
            input: ModelInput {
                targets: found.targets.into_iter().flatten().collect(),
                contexts: found.named_contexts.into_keys().collect(),
                // Arguments that one build gives need not be those of another.
                ..ModelInput::default()
            },
        }
    }
}

/// The sources of each COPY and ADD from the context.
fn copies(dockerfile: &Dockerfile) -> Vec<Vec<String>> {
    let from_context = |one: &&Instruction| {
        matches!(one.keyword, Keyword::Add | Keyword::Copy) && one.flag("from").is_none()
    };
    let sources = |one: &Instruction| {
        let words = one.words().split_last();
        let sources = words.map(|(_, sources)| sources).unwrap_or_default();
        // A here-document brings its own text.
        let files = sources.iter().filter(|word| !word.text.starts_with("<<"));
        files.map(|word| word.text.clone()).collect()
    };
    let copies = dockerfile.instructions().filter(from_context);
    copies.map(sources).collect()
}
