//! Any bytes as a manifest or lock file: the first byte says which.
#![no_main]

use dockeropt::context::MemoryContext;
use dockeropt::project::Project;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 26] = [
    "Cargo.lock",
    "Cargo.toml",
    "composer.json",
    "composer.lock",
    "Gemfile",
    "Gemfile.lock",
    "global.json",
    "go.mod",
    "main.go",
    "go.work",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "package.json",
    "package-lock.json",
    "Pipfile",
    "Pipfile.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "poetry.lock",
    "pom.xml",
    "pyproject.toml",
    "requirements.txt",
    "uv.lock",
    "yarn.lock",
    ".yarnrc.yml",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, text)) = bytes.split_first() else {
        return;
    };
    let name = NAMES[usize::from(*which) % NAMES.len()];
    let context = MemoryContext::from([(name, text)]);
    let project = Project::new(&context, "");
    let _ = project.cargo_lock();
    let _ = project.cargo_toml();
    let _ = project.composer_json();
    let _ = project.composer_lock();
    let _ = project.gemfile();
    let _ = project.gemfile_lock();
    let _ = project.global_json();
    let _ = project.go_mod();
    let _ = project.go_sources();
    let _ = project.go_work();
    let _ = project.gradle_build();
    let _ = project.gradle_settings();
    let _ = project.package_json();
    let _ = project.package_lock();
    let _ = project.pipfile();
    let _ = project.pipfile_lock();
    let _ = project.pnpm_lock();
    let _ = project.pnpm_workspace();
    let _ = project.poetry_lock();
    let _ = project.pom();
    let _ = project.pyproject();
    let _ = project.uv_lock();
    let _ = project.yarn_rc();
    let _ = project.yarn_flavor();
    let _ = project.node_members();
    let _ = project.npm_lock_step();
    let _ = project.python_version_source();
});
