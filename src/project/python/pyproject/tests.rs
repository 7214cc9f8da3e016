//! Tests of `pyproject`.

use super::*;
use crate::project::python::Source;
use crate::project::testing::survives;

const STANDARD: &str = r#"
[build-system]
requires = ["hatchling>=1.20", "hatch-vcs"]
build-backend = "hatchling.build"

[project]
name = "My.App"
dynamic = ["version"]
readme = "README.md"
license = { file = "LICENSE" }
dependencies = [
    "fastapi[standard]>=0.110",
    "local-lib @ file:./libs/local",
]

[project.optional-dependencies]
test = ["pytest"]

[project.scripts]
my-app = "my_app.main:run"

[dependency-groups]
dev = ["ruff", { include-group = "test" }]
test = ["pytest>=8"]

[tool.hatch.version]
source = "vcs"

[tool.uv]
package = false
default-groups = ["dev"]

[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/old"]

[tool.uv.sources]
shared = { workspace = true }
lib = { path = "../lib", editable = true }
torch = [
    { index = "cpu", marker = "sys_platform == 'linux'" },
    { url = "https://example.com/torch.whl" },
]
"#;

const POETRY: &str = r#"
[tool.poetry]
name = "service"
version = "0.1.0"
package-mode = false
readme = ["README.md", "CHANGES.md"]

[tool.poetry.dependencies]
python = "^3.11"
flask = "^3.0"
common = { path = "../common", develop = true }
client = [
    { git = "https://github.com/a/client.git", markers = "python_version < '3.12'" },
    { version = "^2", markers = "python_version >= '3.12'" },
]

[tool.poetry.dev-dependencies]
black = "*"

[tool.poetry.group.docs]
optional = true

[tool.poetry.group.docs.dependencies]
sphinx = "*"

[tool.poetry.group.dev.dependencies]
pytest = { version = "^8", extras = ["x"] }
wheel = { file = "vendor/wheel.whl" }

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"#;

fn read(text: &str) -> Pyproject {
    pyproject("pyproject.toml", text.as_bytes()).unwrap()
}

#[test]
fn reads_the_standard_tables() {
    let facts = read(STANDARD);
    let project = facts.project.as_ref().unwrap();
    assert_eq!(project.name.as_deref(), Some("My.App"));
    assert_eq!(
        (project.version.as_ref(), project.dynamic.as_slice()),
        (None, ["version".to_owned()].as_slice())
    );
    assert_eq!(project.dependencies.len(), 2);
    assert_eq!(project.dependencies[1].line, 13);
    assert_eq!(project.scripts["my-app"], "my_app.main:run");
    assert_eq!(project.optional_dependencies["test"].len(), 1);
    let build = facts.build_system.as_ref().unwrap();
    assert_eq!(build.backend.as_deref(), Some("hatchling.build"));
    assert_eq!(facts.metadata_files, ["README.md", "LICENSE"]);
    assert_eq!(
        facts.groups["dev"][1],
        GroupItem::Include("test".to_owned())
    );
    assert_eq!(facts.version_source, Some(VersionSource::HatchVcs));
}

#[test]
fn reads_uv() {
    let facts = read(STANDARD);
    let uv = facts.uv.as_ref().unwrap();
    assert_eq!(uv.package, Some(false));
    assert_eq!(
        uv.workspace_members.as_deref(),
        Some(["packages/*".to_owned()].as_slice())
    );
    assert_eq!(uv.workspace_exclude, ["packages/old"]);
    assert_eq!(uv.sources["shared"], [Origin::Workspace]);
    assert_eq!(uv.sources["lib"], [Origin::Path("../lib".to_owned())]);
    assert_eq!(
        uv.sources["torch"],
        [
            Origin::Index,
            Origin::Url("https://example.com/torch.whl".to_owned())
        ]
    );
    assert_eq!(
        uv.default_groups.as_deref(),
        Some(["dev".to_owned()].as_slice())
    );
    assert_eq!(
        facts.path_dependencies(),
        [(None, "./libs/local"), (Some("lib"), "../lib")]
    );
    assert_eq!(
        read("[tool.uv]\ndefault-groups = 'all'")
            .uv
            .unwrap()
            .default_groups
            .unwrap(),
        ["all"]
    );
    assert_eq!(
        read("[tool.uv]\ndev-dependencies = ['ruff']").groups["dev"].len(),
        1
    );
}

#[test]
fn reads_poetry() {
    let facts = read(POETRY);
    let poetry = facts.poetry.as_ref().unwrap();
    assert!(!poetry.package_mode);
    assert_eq!(poetry.readme.len(), 2);
    assert!(!poetry.dependencies.contains_key("python"));
    assert_eq!(poetry.dependencies["flask"], [Origin::Index]);
    assert_eq!(
        poetry.dependencies["client"],
        [
            Origin::Vcs("https://github.com/a/client.git".to_owned()),
            Origin::Index
        ]
    );
    assert!(poetry.groups["docs"].optional && !poetry.groups["dev"].optional);
    let dev: Vec<_> = poetry.groups["dev"].dependencies.keys().collect();
    assert_eq!(dev, ["black", "pytest", "wheel"]);
    assert_eq!(
        facts.path_dependencies(),
        [
            (Some("common"), "../common"),
            (Some("wheel"), "vendor/wheel.whl")
        ]
    );
    assert!(
        read("[tool.poetry]\nname = 'x'")
            .poetry
            .unwrap()
            .package_mode
    );
}

#[test]
fn tells_what_computes_the_version() {
    let source = |text| read(text).version_source;
    assert_eq!(
        source("[tool.setuptools_scm]"),
        Some(VersionSource::SetuptoolsScm)
    );
    assert_eq!(
        source("[build-system]\nrequires = ['setuptools', 'setuptools_scm[toml]>=6']"),
        Some(VersionSource::SetuptoolsScm)
    );
    assert_eq!(
        source("[tool.pdm.version]\nsource = 'scm'"),
        Some(VersionSource::PdmScm)
    );
    assert_eq!(
        source("[tool.versioneer]\nVCS = 'git'"),
        Some(VersionSource::Versioneer)
    );
    assert_eq!(
        source("[tool.poetry-dynamic-versioning]\nenable = true"),
        Some(VersionSource::PoetryDynamicVersioning)
    );
    assert_eq!(source("[tool.hatch.version]\npath = 'x.py'"), None);
    assert_eq!(source(POETRY), None);
}

#[test]
fn reads_pdm_and_setuptools() {
    let facts = read(
        "[tool.pdm.dev-dependencies]\ntest = ['pytest', '-e file:///${PROJECT_ROOT}/x#egg=x']\n\
         [tool.setuptools.dynamic]\ndependencies = { file = ['requirements.txt'] }\nversion = { attr = 'x.v' }\n",
    );
    assert!(facts.pdm);
    assert!(matches!(
        &facts.groups["test"][1],
        GroupItem::Requirement(Requirement {
            editable: true,
            source: Source::Computed(_),
            ..
        })
    ));
    assert_eq!(facts.metadata_files, ["requirements.txt"]);
}

#[test]
fn names_the_line_of_a_mistake() {
    let line = |text: &str| {
        pyproject("pyproject.toml", text.as_bytes())
            .unwrap_err()
            .line
    };
    assert_eq!(line("[project\n"), Some(1));
    assert_eq!(line("[project]\nname = 1\n"), Some(2));
    assert_eq!(
        line("[project]\ndependencies = [\n'a',\n'b c',\n]\n"),
        Some(4)
    );
    assert_eq!(
        line("[tool.poetry.dependencies]\na = '1'\nb = 2\n"),
        Some(3)
    );
}

#[test]
fn never_panics() {
    survives(&[STANDARD, POETRY], |bytes| drop(pyproject("p", bytes)));
}
