//! Poetry: what `pyproject.toml` has in the group dev.

use super::{Development, Install};
use crate::pass::project_place::Place;
use crate::project::Project;
use crate::project::python::{GroupItem, Source};

/// The group that is left out.
const GROUP: &str = "dev";

pub(super) fn development(install: &Install<'_>) -> Result<Development, String> {
    let place = install.place;
    let root = place.project(&install.directory, "pyproject.toml")?;
    let project = Project::new(place.cx.context, &root);
    let manifest = project.pyproject().map_err(|error| error.to_string())?;
    let manifest = manifest.ok_or("there is no `pyproject.toml` in the build context")?;
    let poetry = manifest.poetry.clone().unwrap_or_default();
    let group = poetry.groups.get(GROUP);
    if group.is_some_and(|group| group.optional) {
        return Err("the group dev is optional".to_owned());
    }
    let mut packages: std::collections::BTreeSet<String> = group
        .into_iter()
        .flat_map(|group| group.dependencies.keys().cloned())
        .collect();
    for item in manifest.groups.get(GROUP).into_iter().flatten() {
        match item {
            GroupItem::Requirement(requirement) => match &requirement.source {
                Source::Index { name, .. } => {
                    packages.insert(name.clone());
                }
                _ => return Err("the group dev takes a package from elsewhere".to_owned()),
            },
            GroupItem::Include(_) => return Err("the group dev includes another one".to_owned()),
        }
    }
    if packages.is_empty() {
        return Err("`pyproject.toml` has no group dev".to_owned());
    }
    let is_old_flag = install.invocation.flags_named("--no-dev").next().is_some();
    let others = poetry
        .groups
        .iter()
        .filter(|(name, group)| *name != GROUP && !group.optional);
    let others = others.map(|(name, _)| name.as_str());
    let standard = manifest
        .groups
        .keys()
        .map(String::as_str)
        .filter(|name| *name != GROUP);
    if let Some(other) = others.chain(standard).next().filter(|_| is_old_flag) {
        return Err(format!("`--no-dev` leaves out the group {other} too"));
    }
    Ok(Development {
        packages,
        production: poetry.dependencies.keys().cloned().collect(),
        ..Development::default()
    })
}

pub(super) fn check_version(place: &Place<'_>) -> Result<(), String> {
    match is_new(place) {
        Some(true) => Ok(()),
        Some(false) => Err("poetry before 1.2 does not know `--without`".to_owned()),
        None => Err("which poetry it is is not known".to_owned()),
    }
}

pub(super) fn is_old(place: &Place<'_>) -> bool {
    is_new(place) == Some(false)
}

/// Whether poetry is 1.2 or newer: by the version that the file pins, or because it pins none.
fn is_new(place: &Place<'_>) -> Option<bool> {
    let state = place.step().before;
    if let Some(variable) = state.variable("POETRY_VERSION") {
        return by_version(variable.value.as_deref()?);
    }
    let steps = place.before().into_iter().chain([*place]);
    for one in steps.filter(|one| one.step().is_run()) {
        let text = String::from_utf8_lossy(one.step().instruction.args_text()).into_owned();
        if text.contains("get-poetry.py") {
            return None;
        }
        if text.contains("install.python-poetry.org") || text.contains("install-poetry.py") {
            let pinned = text
                .split_once("POETRY_VERSION=")
                .or(text.split_once("--version"));
            return match pinned {
                None => Some(true),
                Some((_, version)) => by_version(version.trim_start_matches([' ', '='])),
            };
        }
        if text.contains("pip") && text.contains("install") {
            let mut words = text.split(|ch: char| ch.is_whitespace() || "'\";&".contains(ch));
            if let Some(word) = words.find(|word| is_poetry(word)) {
                let version = word.trim_start_matches("poetry");
                return match version {
                    "" => Some(true),
                    _ => by_version(version.strip_prefix("==").or(version.strip_prefix("~="))?),
                };
            }
        }
    }
    None
}

fn is_poetry(word: &str) -> bool {
    let rest = word.strip_prefix("poetry");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', '[']))
}

fn by_version(version: &str) -> Option<bool> {
    let mut numbers = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    let (major, minor) = (numbers.next()??, numbers.next()??);
    Some((major, minor) >= (1, 2))
}
