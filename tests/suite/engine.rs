//! The model against a real Docker engine with BuildKit, where `DOCKEROPT_ENGINE` is set; skipped elsewhere, because
//! builds take time and room. The engine must have the base images that the fixtures name.
//!
//! Images get tags of their own, which are removed. Nothing that stood there before is touched or pruned.

mod apps;
mod as_built;
mod builders;
mod cache;
mod config;
mod declared;
mod ignore;
mod layers;
mod rebuilds;
mod rewrites;
mod splits;
mod tree;
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use serde_json::Value;

/// The engine behind the `docker` command.
#[derive(Clone, Copy)]
pub(crate) struct Engine;

/// A build that succeeded.
pub(crate) struct Built {
    /// The image, without a name where the build wrote its files elsewhere.
    image: Option<String>,
    /// Whether each step came from the cache, by BuildKit's name for it: `[stage 2/5] COPY a b`.
    pub(crate) steps: BTreeMap<String, bool>,
}

/// The engine; `None`, with a message, where the tests are not to use one.
///
/// # Panics
/// Where they are, and none answers.
pub(crate) fn engine() -> Option<Engine> {
    if std::env::var_os("DOCKEROPT_ENGINE").is_none() {
        println!("skipped: DOCKEROPT_ENGINE is not set, so that no Docker engine is used");
        return None;
    }
    let info = docker(&["info"]);
    let answer = String::from_utf8_lossy(&info.stderr);
    assert!(
        info.status.success(),
        "DOCKEROPT_ENGINE is set, but no engine answers: {answer}"
    );
    Some(Engine)
}

impl Engine {
    /// Builds `context` with these arguments of `docker build`, into an image that lives as long as the result.
    pub(crate) fn build(self, args: &[&str], context: &Path) -> Result<Built, String> {
        let tag = format!("dockeropt-test:{}", unique());
        let steps = steps(&[args, &["--tag", &tag]].concat(), context)?;
        Ok(Built {
            image: Some(tag),
            steps,
        })
    }

    /// Builds `context` with these arguments, and returns the folder with the files of the image.
    pub(crate) fn files(self, args: &[&str], context: &Path) -> Result<tempfile::TempDir, String> {
        let folder = tempfile::tempdir().unwrap();
        let output = format!("type=local,dest={}", folder.path().display());
        steps(&[args, &["--output", &output]].concat(), context)?;
        Ok(folder)
    }
}

impl Built {
    /// The image's name.
    pub(crate) fn image(&self) -> &str {
        self.image.as_deref().unwrap()
    }

    /// What `docker image inspect` says.
    pub(crate) fn inspect(&self) -> Value {
        let output = docker(&["image", "inspect", "--format", "{{json .}}", self.image()]);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        if let Some(tag) = &self.image {
            docker(&["image", "rm", tag]);
        }
    }
}

/// A word that no other run of the tests has.
pub(crate) fn unique() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    format!("{}-{}-{count}", now.unwrap().as_nanos(), std::process::id())
}

/// A copy of `folder` that a test may change.
pub(crate) fn scratch_copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in crate::files::files_under(folder) {
        let to = copy.path().join(file.strip_prefix(folder).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        match std::fs::read_link(&file) {
            Ok(target) => std::os::unix::fs::symlink(target, to).unwrap(),
            Err(_) => drop(std::fs::copy(&file, to).unwrap()),
        }
    }
    copy
}

/// The folder of fixtures of that name.
fn fixtures(name: &str) -> PathBuf {
    crate::files::repository("tests/engine").join(name)
}

/// The steps of a build, and whether each came from the cache.
fn steps(args: &[&str], context: &Path) -> Result<BTreeMap<String, bool>, String> {
    let context = context.to_str().unwrap();
    let output = docker(&[&["build", "--progress=rawjson"], args, &[context]].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let said = told.lines().filter(|line| !line.starts_with('{'));
        return Err(said.collect::<Vec<_>>().join("\n"));
    }
    let mut steps = BTreeMap::new();
    let events = told
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    for event in events {
        let event: Value = event;
        let vertexes = event["vertexes"].as_array();
        for vertex in vertexes.into_iter().flatten() {
            let name = vertex["name"].as_str().unwrap_or_default().to_owned();
            *steps.entry(name).or_insert(false) |= vertex["cached"] == true;
        }
    }
    Ok(steps)
}

fn docker(args: &[&str]) -> Output {
    let output = Command::new("docker").args(args).output();
    output.unwrap_or_else(|error| panic!("the command `docker` does not run: {error}"))
}
