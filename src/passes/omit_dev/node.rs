//! npm: what `package.json` has for development.

use super::{Development, Install};
use crate::context::path;
use crate::pass::node_version::has_npm_7;
use crate::pass::project_place::Place;
use crate::project::Project;

/// Settings of `.npmrc` and `npm config` that decide about development packages.
const SETTINGS: [&str; 6] = ["omit", "include", "only", "also", "production", "dev"];

pub(super) fn development(install: &Install<'_>) -> Result<Development, String> {
    let (place, directory) = (install.place, &install.directory);
    let root = place.project(directory, "package.json")?;
    let project = Project::new(place.cx.context, &root);
    let package = project.package_json().map_err(|error| error.to_string())?;
    let package = package.ok_or("there is no `package.json` in the build context")?;
    if package.workspaces.is_some() {
        return Err(
            "the project is a workspace: its members have packages of their own".to_owned(),
        );
    }
    if let Some(setting) = setting(&place, &root) {
        return Err(format!("`{setting}` of npm's configuration decides"));
    }
    let ignores = install
        .invocation
        .flags_named("--ignore-scripts")
        .next()
        .is_some();
    let found = Development::of_node(package, &project, !ignores);
    match found.packages.is_empty() {
        true => Err("`package.json` lists nothing for development".to_owned()),
        false => Ok(found),
    }
}

pub(super) fn check_version(place: &Place<'_>) -> Result<(), String> {
    match has_npm_7(place) {
        Some(true) => Ok(()),
        Some(false) => Err("npm before 7 (Node before 15) does not know `--omit`".to_owned()),
        None => Err("whether npm is 7 or newer is not known".to_owned()),
    }
}

pub(super) fn is_old(place: &Place<'_>) -> bool {
    has_npm_7(place) == Some(false)
}

/// What `.npmrc` or an earlier `npm config set` says about it.
fn setting(place: &Place<'_>, root: &str) -> Option<String> {
    let bytes = place.cx.context.read(&path::join(root, ".npmrc"), 1 << 16);
    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    let decides = |line: &str| {
        let key = line.split(['=', ' ']).next().unwrap_or_default();
        SETTINGS.contains(&key).then(|| line.to_owned())
    };
    let in_file = text.lines().map(str::trim).find_map(decides);
    in_file.or_else(|| {
        let steps = place.before().into_iter().chain([*place]);
        steps.filter(|one| one.step().is_run()).find_map(|one| {
            let text = String::from_utf8_lossy(one.step().instruction.args_text()).into_owned();
            let (_, behind) = text
                .split_once("npm config set ")
                .or(text.split_once("npm set "))?;
            let shown = behind
                .split(['&', ';', '\n'])
                .next()
                .unwrap_or_default()
                .trim();
            decides(shown)
        })
    })
}
