//! Python: what a stage takes over from the stages that installed packages, and whether these were compiled against what
//! only the full image has.

use std::collections::BTreeSet;

use super::Look;
use crate::context::path;
use crate::model::Base;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::pass::command;
use crate::pass::own_python::takes_own_python;
use crate::pass::project_place::{Place, first_words};
use crate::pass::python_packages::{self, Needs};
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Stage, Step};
use crate::project::python::{Requirement, requirement_files};
use crate::syntax::shell::{CommandAt, Script};

/// Commands of a builder that leave nothing compiled behind.
const HARMLESS: [&str; 5] = ["python", "python3", "virtualenv", "apt-get", "apt"];

/// No package that other stages install and this one takes over is known to need what only the full image has.
///
/// # Errors
/// Which one does, or why that is not known.
pub(super) fn check(
    look: &Look<'_>,
    installed: &BTreeSet<String>,
    reasons: &mut Reasons,
) -> Result<(), String> {
    let mut needs = Needs::default();
    let mut takes = false;
    for step in look.stage.steps.iter() {
        for source in step.sources() {
            let Base::Stage(index) = source else {
                return Err(
                    "what is copied from another image may need libraries of the full image"
                        .to_owned(),
                );
            };
            takes |= takes_packages(look, *index, &mut needs)?;
        }
    }
    let mut said = Reasons::default();
    let libraries = needs.libraries(&look.stage.model.end, &mut said)?;
    if let Some(library) = libraries.iter().find(|one| !installed.contains(*one)) {
        return Err(format!(
            "what is copied from another stage needs `{library}`, which comes with the full image, and nothing installs it"
        ));
    }
    for library in libraries {
        reasons.say(library, super::INSTALLED);
    }
    if takes {
        let why = "nothing that is installed there is known to need the full image";
        reasons.say("COPY --from", why);
    }
    Ok(())
}

/// Whether a program is Python, or a command that a package of it brings, and what other stages hand over holds that.
pub(super) fn is_copied_command(look: &Look<'_>, program: &str) -> bool {
    let stage = look.stage.model;
    let mut copies = look.stage.steps.iter().filter(|step| {
        let mut sources = step.sources().iter();
        sources.any(|source| matches!(source, Base::Stage(_)))
    });
    if !stage.end.base().is_family("python") {
        return false;
    }
    let Some((directory, name)) = program.rsplit_once("/bin/") else {
        return python_packages::is_script(program) && copies.next().is_some();
    };
    let is_known = matches!(name, "python" | "python3") || python_packages::is_script(name);
    let directory = stage.end.absolute(directory);
    let holds = |step: &Step<'_>| {
        let to = step.instruction.words().last()?;
        let to = step.before.expand(&to.text, b'\\').ok()?;
        Some(step.before.absolute(&to)? == *directory.as_ref()?)
    };
    is_known && copies.any(|step| holds(step) == Some(true))
}

/// Adds what a stage, and those that it is built on, install of Python; whether that is something that Python runs.
fn takes_packages(look: &Look<'_>, index: usize, needs: &mut Needs) -> Result<bool, String> {
    let stage = &look.cx.stages[index];
    let (there, here) = (stage.model.end.base(), look.stage.model.end.base());
    // What Node makes is not run by an image of Python.
    if there.is_family("node") {
        return Ok(false);
    }
    let is_alike = there.version == here.version
        && there.release == here.release
        && there.package_manager == here.package_manager;
    if !there.is_family("python") || !is_alike {
        return Err(
            "what is copied from a stage on another image may need libraries of the full image"
                .to_owned(),
        );
    }
    let mut index = Some(index);
    while let Some(at) = index {
        let stage: &Stage<'_> = &look.cx.stages[at];
        for number in 0..stage.steps.len() {
            let place = Place {
                cx: look.cx,
                stage: at,
                step: number,
            };
            if place.step().is_run() {
                step(look, place, needs)?;
            } else if !place.step().sources().iter().all(is_uv) {
                return Err("what is copied into the other stage is not known".to_owned());
            }
        }
        index = stage.base;
    }
    Ok(true)
}

/// Whether a source is the image of uv, which is one program without libraries.
fn is_uv(source: &Base) -> bool {
    matches!(source, Base::Image(image)
        if image.registry == "ghcr.io" && image.repository == "astral-sh/uv")
}

fn step(look: &Look<'_>, place: Place<'_>, needs: &mut Needs) -> Result<(), String> {
    let Some(script) = place.step().script() else {
        return Err("what a RUN does cannot be read".to_owned());
    };
    for found in script.commands() {
        if found.command.words.is_empty() {
            continue;
        }
        let shown = first_words(&look.cx.shown(found.command.span));
        if let Some(asked) = invocation(&found.command.words) {
            match asked.manager.kind {
                Kind::System => system(&found, &asked, needs)?,
                Kind::Python
                    if asked.manager.name == "pip" || asked.subcommand_name == "pip install" =>
                {
                    pip(place, script, &found, &asked, needs)?;
                }
                Kind::Python => managed(place, script, &found, &asked, needs)?,
                _ => return Err(format!("what `{shown}` installs is not known")),
            }
            continue;
        }
        let name = command::name(found.command).ok_or("what a RUN calls is not known")?;
        let mut words = found.command.words.iter();
        let builds = words.any(|word| word.text.contains("setup.py"));
        let mut always = look.rule.always.iter();
        let is_harmless = HARMLESS.contains(&name) || always.any(|one| one == name);
        if builds || !is_harmless {
            return Err(format!(
                "what `{shown}` leaves behind may need libraries of the full image"
            ));
        }
    }
    Ok(())
}

/// Packages of the distribution, with which packages of Python may be compiled.
fn system(found: &CommandAt<'_>, asked: &Invocation, needs: &mut Needs) -> Result<(), String> {
    if asked.role != Role::Install {
        return Ok(());
    }
    if asked.dynamic {
        return Err("which packages are installed is not known".to_owned());
    }
    for at in &asked.packages {
        let name = super::bare(&found.command.words[*at].text);
        if python_packages::has_libraries(name) {
            needs.system.insert(name.to_owned());
        } else if name.starts_with("lib") && !matches!(name, "libc-dev" | "libc6-dev") {
            return Err(format!("which library `{name}` is there for is not known"));
        }
    }
    Ok(())
}

/// What pip installs.
fn pip(
    place: Place<'_>,
    script: &Script,
    found: &CommandAt<'_>,
    asked: &Invocation,
    needs: &mut Needs,
) -> Result<(), String> {
    let shown = first_words(&place.cx.shown(found.command.span));
    if matches!(asked.role, Role::Clean) {
        return Ok(());
    }
    if asked.role != Role::Install || asked.dynamic {
        return Err(format!("what `{shown}` installs is not known"));
    }
    let is_source = |name: &str| matches!(name, "-e" | "--editable" | "--no-binary" | "--group");
    if let Some(flag) = asked.flags.iter().find(|flag| is_source(&flag.name)) {
        return Err(format!("`{}` installs from the source", flag.name));
    }
    for at in &asked.packages {
        let one = Requirement::parse(0, &found.command.words[*at].text, false)?;
        needs.require(&one, &shown)?;
    }
    let directory = place.directory(script, found, asked);
    for value in &asked.manifests {
        let file = value.text.as_deref();
        let file = file.ok_or("which requirements file is installed is not known")?;
        let unknown = || format!("what `{file}` requires is not known");
        let target = path::against(directory.as_deref(), file);
        let source = place.source(&target.ok_or_else(unknown)?);
        let source = source.ok_or_else(unknown)?;
        let files = requirement_files(place.cx.context, &source);
        let files = files.map_err(|error| error.to_string())?;
        if files.unknown().is_some() {
            return Err(unknown());
        }
        for (_, one) in files.requirements() {
            needs.require(one, &shown)?;
        }
    }
    Ok(())
}

/// What poetry, pipenv and uv install, by a lock file.
fn managed(
    place: Place<'_>,
    script: &Script,
    found: &CommandAt<'_>,
    asked: &Invocation,
    needs: &mut Needs,
) -> Result<(), String> {
    let shown = first_words(&place.cx.shown(found.command.span));
    let unknown = || format!("what `{shown}` installs is not known");
    let directory = place.directory(script, found, asked).ok_or_else(unknown)?;
    let mut words = found.command.words[asked.command + 1..].iter();
    match words.next().map(|word| word.text.as_str()) {
        Some("config") if asked.manager.name == "poetry" => return Ok(()),
        Some("venv") if asked.manager.name == "uv" => {
            return takes_own_python(place, &directory, &[]);
        }
        _ => {}
    }
    let is_plain = asked.packages.is_empty() && asked.manifests.is_empty() && !asked.dynamic;
    match asked.role {
        Role::Clean => return Ok(()),
        Role::Install if is_plain => {}
        _ => return Err(unknown()),
    }
    let mut locks = asked.manager.locks.iter();
    if !locks.any(|lock| place.source(&path::join(&directory, lock)).is_some()) {
        return Err(format!("no lock file says what `{shown}` installs"));
    }
    needs.project(place, asked, &directory).map(drop)
}
