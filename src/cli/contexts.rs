//! Which build context each Dockerfile has: the one of `--context`, else what its workspace says.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use super::as_built::AsBuilt;
use super::inputs::Input;
use crate::context::locate::{
    Declared, DeclaredBuild, How, Location, Place, locate, locate_inline,
};
use crate::context::site::{Other, Site};
use crate::context::{BuildContext, ignore, path};
use crate::model::ModelInput;
use crate::syntax::{Dockerfile, Instruction, Keyword};
use crate::walk::disk::DiskContext;
use crate::walk::{self, PathError};

/// How much of another Dockerfile is read, in bytes.
const MAX_FILE: usize = 4 << 20;

/// The build contexts of a run. Each workspace is searched once.
pub(super) struct Contexts {
    /// The current folder, absolute.
    here: PathBuf,
    given: Option<Arc<DiskContext>>,
    /// The root of the workspace that a folder belongs to.
    roots: HashMap<PathBuf, PathBuf>,
    /// By root.
    workspaces: HashMap<PathBuf, Arc<Workspace>>,
}

/// Where the build context of one Dockerfile is looked for.
pub(super) enum Origin {
    /// It is this one, and the Dockerfile has that path.
    Given(Arc<DiskContext>, Option<PathBuf>),
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
    /// How the project builds it.
    pub(super) as_built: AsBuilt,
    /// Where the Dockerfile stands in it, and who shares it.
    pub(super) site: Site,
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
            roots: HashMap::new(),
            workspaces: HashMap::new(),
        })
    }

    /// Where the context of `input` is looked for.
    pub(super) fn of(&mut self, input: &Input) -> Origin {
        if let Some(given) = &self.given {
            let path = input.file().map(|path| walk::absolute(&self.here, path));
            return Origin::Given(Arc::clone(given), path);
        }
        self.in_workspace(input).unwrap_or(Origin::Nowhere)
    }

    fn in_workspace(&mut self, input: &Input) -> Option<Origin> {
        let path = walk::absolute(&self.here, input.file()?);
        let folder = path.parent()?;
        let root = match self.roots.get(folder) {
            Some(root) => root,
            None => {
                let root = walk::workspace(folder);
                self.roots.entry(folder.to_owned()).or_insert(root)
            }
        };
        let inside = path.strip_prefix(root).ok()?.to_str()?.to_owned();
        let workspace = match self.workspaces.get(root) {
            Some(workspace) => Arc::clone(workspace),
            None => {
                let workspace = Arc::new(Workspace::new(root).ok()?);
                self.workspaces.insert(root.clone(), Arc::clone(&workspace));
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
            Self::Given(disk, path) => Located {
                disk: Some(DiskContext::clone(disk)),
                how: How::Given.to_string(),
                input: ModelInput::default(),
                as_built: AsBuilt::default(),
                site: site_in(disk, path.as_deref()),
            },
            Self::Workspace(workspace, dockerfile) => workspace.context(dockerfile, text),
            Self::Nowhere => {
                Located::nowhere("the build context is not known: the Dockerfile has no path")
            }
        }
    }

    /// The context of the Dockerfile that this compose file holds for `service`.
    pub(super) fn inline(&self, service: &str) -> Located {
        match self {
            Self::Given(..) => Located {
                site: Site::default(),
                ..self.context(b"")
            },
            Self::Workspace(workspace, file) => workspace.inline(file, service),
            Self::Nowhere => self.context(b""),
        }
    }
}

impl Located {
    fn nowhere(how: &str) -> Self {
        Self {
            disk: None,
            how: how.to_owned(),
            input: ModelInput::default(),
            as_built: AsBuilt::default(),
            site: Site::default(),
        }
    }

    /// The text of the ignore file that holds; empty where there is none.
    pub(super) fn ignore_text(&self) -> Vec<u8> {
        if let Some(own) = &self.site.own_ignore {
            return own.clone();
        }
        let Some(disk) = &self.disk else {
            return Vec::new();
        };
        let path = self.site.ignore(disk).ok().and_then(|file| file.path);
        let text = path.and_then(|path| disk.read(&path, MAX_FILE).ok());
        text.unwrap_or_default()
    }
}

/// The place of the Dockerfile at `path` as to a context that was given.
fn site_in(disk: &DiskContext, path: Option<&Path>) -> Site {
    let Some(path) = path else {
        return Site::default();
    };
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let name = path.file_name().unwrap_or_default();
    let real = folder.unwrap_or_default().join(name);
    if let Some(inside) = real.strip_prefix(disk.root()).ok().and_then(Path::to_str) {
        return Site::at(inside);
    }
    let mut own = real.into_os_string();
    own.push(ignore::FILE_NAME);
    Site {
        own_ignore: walk::read_regular(Path::new(&own)).ok(),
        ..Site::default()
    }
}

impl Workspace {
    /// The place of the Dockerfile as to the context `directory`; `None` for one inside a compose file.
    fn site(&self, dockerfile: Option<&str>, directory: &str) -> Site {
        let read = |path: &str| self.disk.read(path, MAX_FILE).ok();
        let own = dockerfile.and_then(|path| read(&format!("{path}{}", ignore::FILE_NAME)));
        let inside = dockerfile.and_then(|path| path::below(path, directory));
        let inside = inside.map(str::to_owned);
        let builds = self.declared.builds.iter();
        let here = |build: &&DeclaredBuild| build.context == Place::Inside(directory.to_owned());
        let (mut others, mut more) = (Vec::new(), None);
        for build in builds.filter(here) {
            let Some(path) = &build.dockerfile else {
                let (part, file) = (&build.part, &build.file);
                more = Some(format!(
                    "which Dockerfile {part} of `{file}` builds is not known"
                ));
                continue;
            };
            let has_own = Site::has_own(&self.disk, path);
            if Some(path.as_str()) == dockerfile || has_own {
                continue;
            }
            others.extend(read(path).map(|text| Other {
                shown: path.clone(),
                path: path::below(path, directory).map(str::to_owned),
                text,
            }));
        }
        if let Some(build) = self.declared.inline.iter().find(here) {
            let (part, file) = (&build.part, &build.file);
            more = Some(format!(
                "{part} of `{file}` builds a Dockerfile of its own from it"
            ));
        }
        others.sort_by(|one, other| one.shown.cmp(&other.shown));
        others.dedup_by(|one, other| one.shown == other.shown);
        if self.declared.truncated {
            more = Some("the workspace holds too much to find who shares the context".to_owned());
        }
        Site {
            own_ignore: own.filter(|_| inside.is_none()),
            dockerfile: inside,
            others,
            more,
        }
    }

    fn context(&self, dockerfile: &str, text: &[u8]) -> Located {
        let copies = copies(&Dockerfile::parse(text));
        let found = locate(&self.disk, &self.declared, dockerfile, &copies, None);
        let site = found.directory.as_ref();
        let site = site.map(|directory| self.site(Some(dockerfile), directory));
        self.located(found, site)
    }

    fn inline(&self, file: &str, service: &str) -> Located {
        let Some(found) = locate_inline(&self.declared, file, service) else {
            return Located::nowhere("the build context is not known");
        };
        let site = found.directory.as_ref();
        let site = site.map(|directory| self.site(None, directory));
        self.located(found, site)
    }

    fn located(&self, found: Location, site: Option<Site>) -> Located {
        let as_built = AsBuilt::of(&found, self.disk.root());
        let directory = found.directory.map(|path| self.disk.root().join(path));
        Located {
            site: site.unwrap_or_default(),
            disk: directory.and_then(|path| DiskContext::new(path).ok()),
            how: found.how.to_string(),
            as_built,
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
