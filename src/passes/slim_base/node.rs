//! Node: what the packages of a stage need of the image, when they are installed and when they run.

use super::Look;
use crate::model::managers::{Kind, Role, invocation};
use crate::pass::node_packages;
use crate::pass::project_place::Place;
use crate::project::Project;

/// No package that the stage installs, or takes over from another stage, is known to need the full image, or may.
///
/// # Errors
/// Which one, or why that is not known.
pub(super) fn check(look: &Look<'_>) -> Result<(), String> {
    let own = look.stage.model.index;
    for (stage, index) in look.cx.stages.iter().zip(0..) {
        for (step, number) in stage.steps.iter().zip(0..) {
            let place = Place {
                cx: look.cx,
                stage: index,
                step: number,
            };
            if step.is_run() {
                installs(look, place, index == own)?;
            }
        }
    }
    Ok(())
}

fn installs(look: &Look<'_>, place: Place<'_>, is_own: bool) -> Result<(), String> {
    let Some(script) = place.step().script() else {
        return Err("what a RUN does cannot be read".to_owned());
    };
    for found in script.commands() {
        let words = &found.command.words;
        let asked = invocation(words).filter(|asked| asked.manager.kind == Kind::Node);
        let Some(asked) = asked.filter(|asked| asked.role == Role::Install) else {
            continue;
        };
        if asked.is_global() && !is_own {
            continue;
        }
        let names = asked
            .packages
            .iter()
            .map(|at| node_packages::without_version(&words[*at].text));
        for name in names {
            if !look.rule.plain_packages.iter().any(|one| one == name) {
                return Err(format!("what `{name}` needs is not known"));
            }
        }
        if asked.is_global() {
            continue;
        }
        let directory = place.directory(script, &found, &asked);
        let directory = directory.ok_or("where packages are installed is not known")?;
        let root = place.project(&directory, "package.json")?;
        let project = Project::new(look.cx.context, &root);
        let package = project.package_json().map_err(|error| error.to_string())?;
        let package = package.ok_or("there is no `package.json`")?;
        node_packages::need_only_node(package, &project)?;
        if is_own {
            node_packages::install_without_tools(package, &project)?;
        }
    }
    Ok(())
}
