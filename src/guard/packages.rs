//! Installs that leave something out: what is then missing.

use std::collections::BTreeSet;

use super::command::{Comparison, Note, is_flag};
use super::later::Place;
use super::script::{Shell, plain_words};
use super::{Fault, Verdict};
use crate::model::Base;
use crate::model::managers::{Invocation, Kind, Manager, Role, invocation};
use crate::rule::Effect;
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, Statement};
use crate::text::{Span, contains};

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

/// The same for the managers of PHP, Ruby and Python, as the names of files that a word may end in.
const TEST_TOOLS: [&str; 14] = [
    "phpunit", "pest", "behat", "phpstan", "psalm", "rspec", "rubocop", "cucumber", "pytest",
    "tox", "mypy", "flake8", "black", "pylint",
];

/// Older spellings of what an install leaves out, and the flag that says the same.
const SPELLINGS: [(&str, &str, &[&str]); 2] = [
    (
        "npm",
        "--omit=dev",
        &[
            "--only=production",
            "--only=prod",
            "--production",
            "--production=true",
            "--prod",
        ],
    ),
    ("poetry", "--without=dev", &["--no-dev"]),
];

/// Whether a word is an older spelling of a flag that the install has now.
pub(super) fn is_respelled(ours: &Invocation, theirs: &Invocation, word: usize) -> bool {
    let listed = |flags: &[&str]| {
        flags
            .iter()
            .map(|&flag| flag.to_owned())
            .collect::<Vec<_>>()
    };
    SPELLINGS.iter().any(|(manager, flag, older)| {
        ours.manager.name == *manager
            && is_flag(ours, word, &listed(older))
            && theirs.has_any(&listed(&[flag]))
    })
}

/// Whether an added command sets which groups the `bundle install` behind it leaves out; if so, it is noted.
pub(super) fn is_added_setting(
    cx: &Comparison<'_>,
    command: &Command,
    next: Option<&Statement>,
) -> bool {
    let Some(words) = plain_words(command).filter(|_| cx.allowed.has(&Effect::Packages)) else {
        return false;
    };
    let ["bundle", "config", "set", "--local", "without", groups] = words.as_slice() else {
        return false;
    };
    let mut groups = groups.split(' ');
    let install = next.and_then(Statement::command);
    let install = install.and_then(|next| invocation(&next.words));
    let Some(install) = install.filter(|one| one.manager.name == "bundler") else {
        return false;
    };
    if install.role != Role::Install || !groups.all(|one| matches!(one, "development" | "test")) {
        return false;
    }
    cx.notes.borrow_mut().push(Note::Lean {
        manager: install.manager,
        packages: Vec::new(),
        at: command.span,
    });
    true
}

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
        (Kind::Node, _) | (_, "composer" | "bundler" | "poetry") => {
            no_build_follows(manager, at, shell, place)
        }
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
        steps.any(|step| contains(step.instruction.span.of(place.side.text), name))
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
            let needs = match manager.kind {
                Kind::Node => {
                    let one = invocation(&command.words);
                    let node = one.filter(|one| one.manager.kind == Kind::Node);
                    let builds = |role| matches!(role, Role::Run | Role::Build | Role::Other);
                    node.is_some_and(|one| builds(one.role)) || BUILD_TOOLS.contains(&name)
                }
                _ => command.words.iter().any(|word| {
                    let end = word.text.rsplit('/').next().unwrap_or(&word.text);
                    TEST_TOOLS.contains(&end)
                }),
            };
            needs.then_some(command.span)
        })
    };
    if let Some(span) = builds(shell, at.start) {
        return fault(span);
    }
    let mut built_on = BTreeSet::from([place.stage]);
    for (index, stage) in place.side.model.stages.iter().enumerate() {
        if matches!(stage.base, Base::Stage(base) if built_on.contains(&base)) {
            built_on.insert(index);
        }
        let from = match index == place.stage {
            true => place.step + 1,
            false if built_on.contains(&index) => 0,
            false => continue,
        };
        let later = stage.steps.iter().skip(from);
        for step in later.filter(|step| step.instruction.keyword == Keyword::Run) {
            let shell = Shell::of(place.side, step, step.instruction);
            if let Some(span) = shell.and_then(|shell| builds(&shell, 0)) {
                return fault(span);
            }
        }
    }
    Ok(())
}
