//! The tables of a `pyproject.toml` as they stand.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{BuildSystem, Uv};
use crate::project::python::{Described, Source, VersionSource, one_or_more, origins, poetry};

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Document {
    pub(super) project: Option<ProjectTable>,
    pub(super) build_system: Option<BuildSystemTable>,
    pub(super) dependency_groups: BTreeMap<String, Vec<Spanned<Value>>>,
    pub(super) tool: Tool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct ProjectTable {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) dynamic: Vec<String>,
    pub(super) requires_python: Option<String>,
    pub(super) dependencies: Vec<Spanned<String>>,
    pub(super) optional_dependencies: BTreeMap<String, Vec<Spanned<String>>>,
    pub(super) scripts: BTreeMap<String, String>,
    pub(super) readme: Option<Value>,
    pub(super) license: Option<Value>,
    pub(super) license_files: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct BuildSystemTable {
    pub(super) requires: Vec<Spanned<String>>,
    pub(super) build_backend: Option<String>,
    pub(super) backend_path: Vec<String>,
}

/// The tools' tables that say something of the installation. Those that only need to be there are [`Value`]s.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tool {
    pub(super) poetry: Option<poetry::Table>,
    pub(super) uv: Option<UvTable>,
    pub(super) pdm: Option<PdmTable>,
    pub(super) hatch: Option<HatchTable>,
    pub(super) setuptools: Option<Value>,
    #[serde(alias = "setuptools-scm")]
    pub(super) setuptools_scm: Option<Value>,
    pub(super) versioneer: Option<Value>,
    #[serde(rename = "poetry-dynamic-versioning")]
    pub(super) poetry_dynamic_versioning: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct UvTable {
    pub(super) package: Option<bool>,
    pub(super) workspace: Option<UvWorkspace>,
    pub(super) sources: BTreeMap<String, Described>,
    pub(super) dev_dependencies: Option<Vec<Spanned<String>>>,
    pub(super) default_groups: Option<DefaultGroups>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct UvWorkspace {
    pub(super) members: Vec<String>,
    pub(super) exclude: Vec<String>,
}

/// A list, or `"all"`.
#[derive(Deserialize)]
pub(super) struct DefaultGroups(#[serde(deserialize_with = "one_or_more")] Vec<String>);

impl From<UvTable> for Uv {
    fn from(table: UvTable) -> Self {
        let (members, exclude) = match table.workspace {
            Some(workspace) => (Some(workspace.members), workspace.exclude),
            None => (None, Vec::new()),
        };
        Self {
            package: table.package,
            workspace_members: members,
            workspace_exclude: exclude,
            sources: origins(table.sources),
            default_groups: table.default_groups.map(|groups| groups.0),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct PdmTable {
    pub(super) dev_dependencies: BTreeMap<String, Vec<Spanned<String>>>,
    pub(super) version: Option<Value>,
    pub(super) build: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct HatchTable {
    pub(super) version: Option<Value>,
    pub(super) build: Option<Value>,
}

impl Document {
    pub(super) fn metadata_files(&self) -> Vec<String> {
        let mut files = Vec::new();
        if let Some(project) = &self.project {
            let named = |value: &Value| text_or(value, "file");
            files.extend(project.readme.as_ref().and_then(named));
            let license = project.license.as_ref().and_then(|value| value.get("file"));
            files.extend(license.and_then(Value::as_str).map(str::to_owned));
            let globs = project.license_files.as_ref().map(|value| {
                let nested = value.get("paths").or_else(|| value.get("globs"));
                texts(nested.unwrap_or(value))
            });
            files.extend(globs.into_iter().flatten());
        }
        let dynamic = self
            .tool
            .setuptools
            .as_ref()
            .and_then(|value| value.get("dynamic"));
        for field in dynamic.and_then(Value::as_table).into_iter().flatten() {
            files.extend(field.1.get("file").map(texts).into_iter().flatten());
        }
        files
    }
}

impl Tool {
    /// Whether a build of the package runs code of the project, or compiles some.
    pub(super) fn has_build_hooks(&self) -> bool {
        let poetry = self.poetry.as_ref().is_some_and(poetry::Table::has_script);
        let hatch = self.hatch.as_ref().and_then(|table| table.build.as_ref());
        let pdm = self.pdm.as_ref().and_then(|table| table.build.as_ref());
        let setuptools = self.setuptools.as_ref();
        let modules = setuptools.and_then(|table| table.get("ext-modules"));
        let hooks = hatch.is_some_and(|build| build.to_string().contains("hooks"));
        poetry || hooks || pdm.is_some() || modules.is_some()
    }

    /// What takes the version from the repository: a tool's own table first, then the build requirements.
    pub(super) fn version_source(&self, build: Option<&BuildSystem>) -> Option<VersionSource> {
        let source = |value: &Option<Value>| {
            let source = value.as_ref().and_then(|value| value.get("source"));
            source.and_then(Value::as_str).map(str::to_owned)
        };
        let hatch = self.hatch.as_ref().and_then(|table| source(&table.version));
        let pdm = self.pdm.as_ref().and_then(|table| source(&table.version));
        if self.setuptools_scm.is_some() {
            return Some(VersionSource::SetuptoolsScm);
        }
        if hatch.as_deref() == Some("vcs") {
            return Some(VersionSource::HatchVcs);
        }
        if pdm.as_deref() == Some("scm") {
            return Some(VersionSource::PdmScm);
        }
        if self.versioneer.is_some() {
            return Some(VersionSource::Versioneer);
        }
        if self.poetry_dynamic_versioning.is_some() {
            return Some(VersionSource::PoetryDynamicVersioning);
        }
        let names = build.into_iter().flat_map(|build| &build.requires);
        names
            .filter_map(|requirement| match &requirement.source {
                Source::Index { name, .. } => VersionSource::of_distribution(name),
                _ => None,
            })
            .next()
    }
}

/// A text, or the text under `key`.
fn text_or(value: &Value, key: &str) -> Option<String> {
    let text = value.as_str().or_else(|| value.get(key)?.as_str());
    text.map(str::to_owned)
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> Vec<String> {
    let one = value.as_str().into_iter();
    let more = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    one.chain(more).map(str::to_owned).collect()
}
