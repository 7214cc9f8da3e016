//! `pyproject.toml`: the standard tables, and those of the tools that install a project.

mod document;

use std::collections::BTreeMap;

use toml::{Spanned, Value};

use self::document::{BuildSystemTable, Document, ProjectTable};
use super::{Origin, Poetry, Requirement, VersionSource};
use crate::project::{ManifestError, read};

/// What a `pyproject.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pyproject {
    /// `[project]` (PEP 621).
    pub project: Option<Standard>,
    /// `[build-system]` (PEP 517).
    pub build_system: Option<BuildSystem>,
    /// `[dependency-groups]` (PEP 735), and the older `dev-dependencies` of uv and PDM under their names.
    pub groups: BTreeMap<String, Vec<GroupItem>>,
    /// `[tool.poetry]`.
    pub poetry: Option<Poetry>,
    /// `[tool.uv]`.
    pub uv: Option<Uv>,
    /// Whether there is a `[tool.pdm]`.
    pub pdm: bool,
    /// Whether a build of the package may run code of the project, or compile some: a build script or hooks are named.
    pub has_build_hooks: bool,
    /// What computes the version from the repository's history, if anything does.
    pub version_source: Option<VersionSource>,
    /// Files that the metadata reads when the package is built: readme, license, setuptools' `file = …`; relative to
    /// the manifest, possibly globs.
    pub metadata_files: Vec<String>,
}

/// `[project]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standard {
    /// Name, as it stands.
    pub name: Option<String>,
    /// Version; `None` where it is dynamic or missing.
    pub version: Option<String>,
    /// The fields that the build backend computes, such as `version` and `dependencies`.
    pub dynamic: Vec<String>,
    /// `requires-python`, verbatim.
    pub requires_python: Option<String>,
    /// What it requires; incomplete where `dynamic` holds `dependencies`.
    pub dependencies: Vec<Requirement>,
    /// Its extras.
    pub optional_dependencies: BTreeMap<String, Vec<Requirement>>,
    /// Console scripts: name to `module:function`.
    pub scripts: BTreeMap<String, String>,
}

/// `[build-system]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildSystem {
    /// What is installed to build the package.
    pub requires: Vec<Requirement>,
    /// The backend's object, such as `hatchling.build`; `None` is setuptools' legacy backend.
    pub backend: Option<String>,
    /// Directories of the project from which the backend is imported.
    pub backend_path: Vec<String>,
}

/// An entry of a dependency group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupItem {
    /// A requirement.
    Requirement(Requirement),
    /// All entries of another group.
    Include(String),
}

/// `[tool.uv]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uv {
    /// Whether uv installs the project itself; `None` where the build system decides.
    pub package: Option<bool>,
    /// Globs of the workspace's members; `None` where there is no workspace table.
    pub workspace_members: Option<Vec<String>>,
    /// Globs of the directories that are no members.
    pub workspace_exclude: Vec<String>,
    /// Where the dependencies of these names come from.
    pub sources: BTreeMap<String, Vec<Origin>>,
    /// The groups that are installed unless one says otherwise; `None` where it does not say, which is `dev`.
    pub default_groups: Option<Vec<String>>,
}

impl Pyproject {
    /// Everything that it takes from a file or directory: name (`None` for a bare path) and path, relative to the
    /// manifest.
    pub fn path_dependencies(&self) -> Vec<(Option<&str>, &str)> {
        let mut paths: Vec<(Option<&str>, &str)> = Vec::new();
        if let Some(project) = &self.project {
            let extras = project.optional_dependencies.values().flatten();
            let all = project.dependencies.iter().chain(extras);
            paths.extend(
                all.filter_map(Requirement::local_path)
                    .map(|path| (None, path)),
            );
        }
        for item in self.groups.values().flatten() {
            if let GroupItem::Requirement(requirement) = item {
                paths.extend(requirement.local_path().map(|path| (None, path)));
            }
        }
        if let Some(uv) = &self.uv {
            for (name, origins) in &uv.sources {
                for origin in origins {
                    if let Origin::Path(path) = origin {
                        paths.push((Some(name), path));
                    }
                }
            }
        }
        if let Some(poetry) = &self.poetry {
            paths.extend(
                poetry
                    .path_dependencies()
                    .map(|(name, path)| (Some(name), path)),
            );
        }
        paths
    }
}

/// What the `pyproject.toml` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not TOML, a table is not of the shape that its specification asks for, or a text is no requirement.
pub fn pyproject(path: &str, bytes: &[u8]) -> Result<Pyproject, ManifestError> {
    let document: Document = read::toml(path, bytes)?;
    let text = read::text(path, bytes)?;
    let reader = Reader {
        path,
        lines: read::Lines::new(text),
    };
    reader.pyproject(document)
}

/// Where the requirements of one file stand.
struct Reader<'a> {
    path: &'a str,
    lines: read::Lines,
}

impl Reader<'_> {
    fn pyproject(&self, document: Document) -> Result<Pyproject, ManifestError> {
        let metadata_files = document.metadata_files();
        let project = document.project.map(|table| self.standard(table));
        let build_system = document.build_system.map(|table| self.build_system(table));
        let build_system = build_system.transpose()?;
        let tool = document.tool;
        let has_build_hooks = tool.has_build_hooks();
        let version_source = tool.version_source(build_system.as_ref());
        let mut groups = BTreeMap::new();
        let pdm = tool.pdm.is_some();
        let older = tool.pdm.unwrap_or_default().dev_dependencies;
        for (name, texts) in older {
            groups.insert(name, self.items(texts)?);
        }
        if let Some(uv) = &tool.uv
            && let Some(texts) = &uv.dev_dependencies
        {
            let items = self.requirements(texts)?.into_iter();
            groups.insert(
                "dev".to_owned(),
                items.map(GroupItem::Requirement).collect(),
            );
        }
        for (name, entries) in document.dependency_groups {
            groups
                .entry(name)
                .or_insert_with(Vec::new)
                .extend(self.group(entries)?);
        }
        Ok(Pyproject {
            project: project.transpose()?,
            build_system,
            groups,
            poetry: tool.poetry.map(Poetry::from),
            uv: tool.uv.map(Uv::from),
            pdm,
            has_build_hooks,
            version_source,
            metadata_files,
        })
    }

    fn standard(&self, table: ProjectTable) -> Result<Standard, ManifestError> {
        let mut optional_dependencies = BTreeMap::new();
        for (name, texts) in &table.optional_dependencies {
            optional_dependencies.insert(name.clone(), self.requirements(texts)?);
        }
        Ok(Standard {
            dependencies: self.requirements(&table.dependencies)?,
            optional_dependencies,
            name: table.name,
            version: table.version,
            dynamic: table.dynamic,
            requires_python: table.requires_python,
            scripts: table.scripts,
        })
    }

    fn build_system(&self, table: BuildSystemTable) -> Result<BuildSystem, ManifestError> {
        Ok(BuildSystem {
            requires: self.requirements(&table.requires)?,
            backend: table.build_backend,
            backend_path: table.backend_path,
        })
    }

    fn group(&self, entries: Vec<Spanned<Value>>) -> Result<Vec<GroupItem>, ManifestError> {
        let item = |entry: Spanned<Value>| {
            let span = entry.span();
            match entry.into_inner() {
                Value::String(text) => {
                    let requirement = self.requirement(&Spanned::new(span, text));
                    requirement.map(GroupItem::Requirement)
                }
                table => match table.get("include-group").and_then(Value::as_str) {
                    Some(group) => Ok(GroupItem::Include(group.to_owned())),
                    None => Err(self.error(span.start, "is no entry of a dependency group")),
                },
            }
        };
        entries.into_iter().map(item).collect()
    }

    /// PDM's groups may hold `-e file:///${PROJECT_ROOT}/x`.
    fn items(&self, texts: Vec<Spanned<String>>) -> Result<Vec<GroupItem>, ManifestError> {
        let item = |text: &Spanned<String>| self.requirement(text).map(GroupItem::Requirement);
        texts.iter().map(item).collect()
    }

    fn requirements(&self, texts: &[Spanned<String>]) -> Result<Vec<Requirement>, ManifestError> {
        texts.iter().map(|text| self.requirement(text)).collect()
    }

    fn requirement(&self, text: &Spanned<String>) -> Result<Requirement, ManifestError> {
        let line = self.line(text.span().start);
        let value = text.get_ref().trim();
        let (value, editable) = match value.strip_prefix("-e ") {
            Some(value) => (value, true),
            None => (value, false),
        };
        Requirement::parse(line, value, editable)
            .map_err(|message| self.error(text.span().start, &message))
    }

    fn line(&self, offset: usize) -> u32 {
        self.lines.line(offset)
    }

    fn error(&self, offset: usize, message: &str) -> ManifestError {
        ManifestError::new(self.path, Some(self.line(offset)), message)
    }
}

#[cfg(test)]
mod tests;
