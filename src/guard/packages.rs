//! Installs that leave something out: what is then missing.

use super::later::Place;
use super::script::Shell;
use super::{Fault, Verdict, temp};
use crate::model::Base;
use crate::model::managers::{Kind, Manager, Role, invocation};
use crate::syntax::Keyword;
use crate::text::Span;

/// A package that does not do without another one that it only recommends; and texts that show that the other one, or
/// something in its place, is installed.
struct Companion {
    package: &'static str,
    needs: &'static str,
    instead: &'static [&'static str],
}

const COMPANIONS: [Companion; 4] = [
    Companion {
        package: "curl",
        needs: "ca-certificates",
        instead: CERTIFICATES,
    },
    Companion {
        package: "wget",
        needs: "ca-certificates",
        instead: CERTIFICATES,
    },
    Companion {
        package: "git",
        needs: "ca-certificates",
        instead: CERTIFICATES,
    },
    Companion {
        package: "gcc",
        needs: "libc6-dev",
        instead: &[
            "build-essential",
            "g++",
            "clang",
            "gfortran",
            "rustc",
            "libc-dev",
            "libstdc++",
        ],
    },
];

const CERTIFICATES: &[&str] = &["ca-certificates", "default-j"];

/// Programs that are development dependencies wherever they are used.
const BUILD_TOOLS: [&str; 14] = [
    "npx", "tsc", "vite", "webpack", "gulp", "grunt", "ng", "next", "nuxt", "rollup", "esbuild",
    "parcel", "nest", "jest",
];

/// Nothing that is left out is needed by what the stage shows.
pub(super) fn check(
    manager: &Manager,
    packages: &[String],
    at: Span,
    shell: &Shell,
    place: Place<'_>,
) -> Verdict {
    match (manager.kind, manager.name.as_str()) {
        (_, "apt") => companions(packages, at, place),
        (Kind::Node, _) => no_build_follows(manager, at, shell, place),
        _ => Ok(()),
    }
}

fn companions(packages: &[String], at: Span, place: Place<'_>) -> Verdict {
    let Some(stage) = place.side.model.stages.get(place.stage) else {
        return Ok(());
    };
    let mut above = vec![stage.steps.get(..=place.step).unwrap_or_default()];
    let mut base = &stage.base;
    while let Base::Stage(index) = base {
        let Some(stage) = place.side.model.stages.get(*index) else {
            break;
        };
        above.push(&stage.steps);
        base = &stage.base;
    }
    let is_named = |name: &str| {
        let mut steps = above.iter().copied().flatten();
        steps.any(|step| temp::contains(step.instruction.span.of(place.side.text), name))
    };
    for companion in &COMPANIONS {
        let installs = packages.iter().any(|package| package == companion.package);
        let there =
            || is_named(companion.needs) || companion.instead.iter().any(|name| is_named(name));
        if installs && !there() {
            let (package, needs) = (companion.package, companion.needs);
            let reason = format!(
                "`{package}` is installed without `{needs}`, which it recommends and needs"
            );
            return Err(Fault::new(reason, at));
        }
    }
    Ok(())
}

/// No command behind the install builds the project, which takes development dependencies.
fn no_build_follows(manager: &Manager, at: Span, shell: &Shell, place: Place<'_>) -> Verdict {
    let fault = |span| {
        Err(Fault::new(
            format!(
                "development dependencies of {} are left out, and a later command builds with them",
                manager.name
            ),
            span,
        ))
    };
    let builds = |shell: &Shell, from: u32| {
        let all = shell
            .script
            .commands()
            .into_iter()
            .map(|found| found.command);
        let mut behind = all.filter(|command| command.span.start > from);
        behind.find_map(|command| {
            let name = command.name().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or(name);
            let node = invocation(&command.words).filter(|one| one.manager.kind == Kind::Node);
            let runs =
                node.is_some_and(|one| matches!(one.role, Role::Run | Role::Build | Role::Other));
            (runs || BUILD_TOOLS.contains(&name)).then_some(command.span)
        })
    };
    if let Some(span) = builds(shell, at.start) {
        return fault(span);
    }
    let Some(stage) = place.side.model.stages.get(place.stage) else {
        return Ok(());
    };
    let later = stage.steps.iter().skip(place.step + 1);
    for step in later.filter(|step| step.instruction.keyword == Keyword::Run) {
        let shell = Shell::of(place.side, step, step.instruction);
        if let Some(span) = shell.and_then(|shell| builds(&shell, 0)) {
            return fault(span);
        }
    }
    Ok(())
}
