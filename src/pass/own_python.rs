//! Which Python uv takes: that of the image, or one that it downloads.

use super::project_place::Place;
use super::python_packages::numbers;
use crate::context::path;
use crate::model::state::State;
use crate::project::Project;

/// uv takes the Python of the image, and does not download another.
///
/// # Errors
/// It may.
pub fn takes_own_python(place: Place<'_>, directory: &str, flags: &[&str]) -> Result<(), String> {
    let state = place.step().before;
    let downloads = value(state, "UV_PYTHON_DOWNLOADS")?;
    let never = downloads.is_some_and(|value| matches!(value.as_str(), "never" | "0" | "false"));
    if never || flags.contains(&"--no-python-downloads") {
        return Ok(());
    }
    let other = || "uv may take another Python than that of the image".to_owned();
    let version = state.base().version.as_deref().ok_or_else(other)?;
    if let Some(pinned) = place.text(&path::join(directory, ".python-version")) {
        let pinned = pinned.trim();
        let rest = version.strip_prefix(pinned);
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Err(other());
        }
    }
    let Some(manifest) = place.source(&path::join(directory, "pyproject.toml")) else {
        return Ok(());
    };
    let project = Project::new(place.cx.context, path::parent(&manifest));
    let facts = project.pyproject().map_err(|error| error.to_string())?;
    let standard = facts.and_then(|facts| facts.project.as_ref());
    let required = standard.and_then(|standard| standard.requires_python.as_deref());
    match required.is_none_or(|required| is_met(required, version)) {
        true => Ok(()),
        false => Err(other()),
    }
}

/// Whether a version of Python, of which the last number may not be known, is one that is required.
fn is_met(required: &str, version: &str) -> bool {
    let version = numbers(version);
    let [major, minor, ..] = version[..] else {
        return false;
    };
    required.split(',').map(str::trim).all(|one| {
        let split = one.find(|ch: char| ch.is_ascii_digit()).unwrap_or(0);
        let (operator, number) = one.split_at(split);
        let asked = numbers(number.trim_end_matches(".*"));
        let (wanted, last) = match asked[..] {
            [wanted] => ([wanted, 0], 0),
            [wanted, second] => ([wanted, second], 0),
            [wanted, second, last] => ([wanted, second], last),
            _ => return false,
        };
        let has = [major, minor];
        match operator.trim() {
            ">=" => has > wanted || has == wanted && (last == 0 || version.get(2) >= Some(&last)),
            "~=" => major == wanted[0] && minor >= wanted[1] && asked.len() == 2,
            "<" => has < wanted,
            "==" => number.ends_with(".*") && version.starts_with(&asked),
            _ => false,
        }
    })
}

/// The value of a variable, where it is set.
///
/// # Errors
/// It is set to what is not known.
pub fn value(state: &State, name: &str) -> Result<Option<String>, String> {
    let variable = state.variable(name).map(|one| one.value.as_deref());
    let known = variable.map(|value| {
        value
            .map(str::to_owned)
            .ok_or_else(|| format!("what `{name}` is is not known"))
    });
    known.transpose()
}

#[cfg(test)]
mod tests {
    use super::is_met;

    #[test]
    fn the_image_has_the_python_that_is_required() {
        for (required, version, met) in [
            (">=3.11", "3.11", true),
            (">=3.11", "3.12.4", true),
            (">=3.12", "3.11", false),
            (">=3.11.4", "3.11", false),
            (">=3.11.4", "3.11.9", true),
            (">=3.10,<4", "3.12", true),
            (">=3.10,<3.12", "3.12", false),
            ("==3.11.*", "3.11.2", true),
            ("==3.11.2", "3.11.2", false),
            ("~=3.10", "3.12", true),
            ("~=3.10.0", "3.12", false),
            (">=3.10", "3", false),
            ("whatever", "3.12", false),
        ] {
            assert_eq!(is_met(required, version), met, "{required} {version}");
        }
    }
}
