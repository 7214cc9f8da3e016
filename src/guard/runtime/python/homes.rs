//! Where the installs of a builder leave packages of Python, as its own words say: `/usr/local`, or an environment.

use super::PLACE;
use crate::model::{Stage, Step};
use crate::syntax::Keyword;

/// Packages that install others.
const INSTALLERS: [&str; 6] = ["pip", "pipenv", "poetry", "setuptools", "uv", "wheel"];

/// Where managers make environments unless they are told otherwise.
const POETRY: &str = "/root/.cache/pypoetry/virtualenvs";
const PIPENV: &str = "/root/.local/share/virtualenvs";

/// Whether what each install leaves is taken over, and there is one that leaves something.
pub(super) fn are_taken_over(builder: &Stage<'_>, carried: &[String]) -> bool {
    let text = |step: &Step<'_>| String::from_utf8_lossy(step.instruction.args_text()).into_owned();
    let said: Vec<String> = builder.steps.iter().map(text).collect();
    let mut homes = Vec::new();
    for (step, text) in builder.steps.iter().zip(&said) {
        if step.instruction.keyword != Keyword::Run {
            continue;
        }
        for command in text.split(['&', ';', '|', '(', ')', '{', '}', '\n']) {
            let words: Vec<&str> = command.split_whitespace().collect();
            homes.extend(home(&words, step, &said));
        }
    }
    let is_taken = |home: &Home| match home {
        Home::At(path) => carried.contains(path),
        Home::OwnOr(path) => carried
            .iter()
            .any(|one| one.ends_with("/.venv") || path.is_some_and(|path| one == path)),
        Home::Any => !carried.is_empty(),
        Home::None => true,
    };
    let mut leave = homes.iter().filter(|home| **home != Home::None);
    leave.next().is_some() && homes.iter().all(is_taken)
}

/// Where an install leaves packages.
#[derive(PartialEq)]
enum Home {
    /// Nowhere that matters: it installs installers.
    None,
    At(String),
    /// In `.venv` of the project, or at this place.
    OwnOr(Option<&'static str>),
    /// A file of the project says where.
    Any,
}

/// Where a command leaves packages, in a builder that says all this; `None` where it installs none.
fn home(words: &[&str], step: &Step<'_>, said: &[String]) -> Option<Home> {
    let at = words
        .iter()
        .position(|word| matches!(*word, "install" | "sync"))?;
    let before = &words[..at];
    let has = |name: &str| before.contains(&name);
    let value = |name: &str| {
        let variable = step.before.variable(name)?;
        variable.value.as_deref().map(str::to_owned)
    };
    let is_on = |name: &str| value(name).is_some_and(|value| is_on(&value));
    let told = |setting: &str, value: &str| {
        let setting = format!("{setting} {value}");
        said.iter().any(|text| text.contains(&setting))
    };
    let active = value("VIRTUAL_ENV");
    if has("uv") && !has("pip") {
        let named = value("UV_PROJECT_ENVIRONMENT").and_then(|path| step.before.absolute(&path));
        return Some(named.map_or(Home::OwnOr(None), Home::At));
    }
    if has("uv") {
        let is_system = words.contains(&"--system") || is_on("UV_SYSTEM_PYTHON");
        return Some(match (is_system, active) {
            (true, _) => Home::At(PLACE.to_owned()),
            (false, Some(active)) => Home::At(active),
            (false, None) => Home::OwnOr(None),
        });
    }
    if has("poetry") {
        let create = value("POETRY_VIRTUALENVS_CREATE");
        let is_off = create.as_deref().is_some_and(|create| !self::is_on(create));
        if is_off || told("virtualenvs.create", "false") {
            return Some(Home::At(PLACE.to_owned()));
        }
        let is_own =
            is_on("POETRY_VIRTUALENVS_IN_PROJECT") || told("virtualenvs.in-project", "true");
        return Some(match active {
            Some(active) => Home::At(active),
            None if is_own => Home::OwnOr(None),
            None if create.is_some() => Home::OwnOr(Some(POETRY)),
            None => Home::Any,
        });
    }
    if has("pipenv") {
        return Some(match active {
            _ if words.contains(&"--system") => Home::At(PLACE.to_owned()),
            Some(active) => Home::At(active),
            None if is_on("PIPENV_VENV_IN_PROJECT") => Home::OwnOr(None),
            None => Home::At(PIPENV.to_owned()),
        });
    }
    let is_pip = before.iter().any(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        name.strip_prefix("pip").is_some_and(|rest| {
            rest.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
    });
    is_pip.then(|| home_of_pip(words, at, step, said))
}

fn home_of_pip(words: &[&str], at: usize, step: &Step<'_>, said: &[String]) -> Home {
    let search = step
        .before
        .variable("PATH")
        .and_then(|path| path.value.as_deref());
    let first = search.and_then(|search| search.split(':').next());
    let program = words[..at].iter().find(|word| word.contains("/bin/"));
    let directory = match program {
        Some(program) => program.rsplit_once('/').map(|(directory, _)| directory),
        None => first,
    };
    let environment = directory.and_then(|directory| directory.strip_suffix("/bin"));
    let is_made = |path: &&str| {
        said.iter()
            .any(|text| text.contains("venv") && text.contains(*path))
    };
    let by_variable = || step.before.variable("VIRTUAL_ENV").is_some();
    if let Some(environment) = environment
        && environment != PLACE
        && (is_made(&environment) || by_variable())
    {
        return Home::At(environment.to_owned());
    }
    let mut named = words[at + 1..].iter().filter(|word| !word.starts_with('-'));
    let is_installer = |word: &&str| {
        let name = word.trim_matches(['"', '\'']);
        let end = name
            .find(['=', '<', '>', '~', '!', '['])
            .unwrap_or(name.len());
        INSTALLERS.contains(&&name[..end])
    };
    match named.all(is_installer) {
        true => Home::None,
        false => Home::At(PLACE.to_owned()),
    }
}

fn is_on(text: &str) -> bool {
    !matches!(
        text.to_lowercase().as_str(),
        "" | "0" | "false" | "no" | "off"
    )
}
