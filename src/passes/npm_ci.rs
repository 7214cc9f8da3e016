//! `npm install` of a project with a lock file becomes `npm ci`. Never where `npm ci` would fail or delete something.

use serde::Deserialize;

use crate::context::path;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::pass::node_version::{Node, has_npm_7, node};
use crate::pass::project_place::{Place, first_words};
use crate::pass::{Findings, Pass, PassContext};
use crate::project::Project;
use crate::project::node::LockStep;
use crate::syntax::shell::{CommandAt, Script};
use crate::text::Edit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NpmCi {
    /// Flags that `npm ci` knows too.
    flags: Vec<String>,
    /// Settings of `.npmrc` under which it fails or does something else.
    settings: Vec<String>,
}

/// The lock files, in the order in which npm looks for them.
const LOCKS: [&str; 2] = ["npm-shrinkwrap.json", "package-lock.json"];

impl Pass for NpmCi {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for (stage, one) in cx.stages.iter().enumerate() {
            for (step, of_stage) in one.steps.iter().enumerate() {
                let Some(script) = of_stage.script() else {
                    continue;
                };
                let place = Place { cx, stage, step };
                for found in script.commands() {
                    self.look(&place, script, &found, out);
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        vec!["npm"]
    }
}

impl NpmCi {
    fn look(&self, place: &Place<'_>, script: &Script, found: &CommandAt<'_>, out: &mut Findings) {
        let command = found.command;
        let Some(install) = invocation(&command.words).filter(is_project_install) else {
            return;
        };
        let [word] = install.subcommand.as_slice() else {
            return;
        };
        if let Some(reason) = self.decline(place, script, found, &install) {
            out.decline(command.span, reason);
            return;
        }
        let edit = Edit::replace(command.words[*word].span, "ci");
        let fix = place.cx.fix("install with `npm ci`", vec![edit]);
        let message = "`npm install` may install other versions than the lock file says";
        out.report(command.span, message, fix);
    }

    fn decline(
        &self,
        place: &Place<'_>,
        script: &Script,
        found: &CommandAt<'_>,
        install: &Invocation,
    ) -> Option<String> {
        if install.dynamic {
            return Some("a word of the command is not literal".to_owned());
        }
        let knows = |name: &str| self.flags.iter().any(|flag| flag == name);
        if let Some(flag) = install.flags.iter().find(|flag| !knows(&flag.name)) {
            return Some(format!("`npm ci` may not know `{}`", flag.name));
        }
        if !place.cx.context.is_known() {
            return Some("the build context is not known".to_owned());
        }
        let Some(directory) = place.directory(script, found, install) else {
            return Some("the directory of the install is not known".to_owned());
        };
        self.decline_project(place, &directory)
            .err()
            .or_else(|| installed_before(place, script, found, &directory))
    }

    /// Whether the lock file of the project is one that `npm ci` takes; if not, why.
    fn decline_project(&self, place: &Place<'_>, directory: &str) -> Result<(), String> {
        let root = place.project(directory, "package.json")?;
        let project = Project::new(place.cx.context, &root);
        let Some(lock) = LOCKS.iter().find(|lock| project.file(lock).is_some()) else {
            return Err("there is no lock file in the build context".to_owned());
        };
        if place.project(directory, lock)? != root {
            return Err(format!("`{lock}` is that of another project"));
        }
        if let Some(setting) = self.setting(place, &root) {
            return Err(format!("`.npmrc` sets `{setting}`"));
        }
        self.decline_lock(place, &project, lock)?;
        let members = project.node_members().map_err(|error| error.to_string())?;
        for member in members {
            let below = path::below(&member, &root).unwrap_or(&member);
            let copied = place.origin(&path::join(directory, below.trim_start_matches('/')))?;
            if copied.as_ref() != Some(&member) {
                return Err(format!("`{member}` is not copied before the install"));
            }
        }
        Ok(())
    }

    fn decline_lock(
        &self,
        place: &Place<'_>,
        project: &Project<'_>,
        lock: &str,
    ) -> Result<(), String> {
        let step = project.npm_lock_step().map_err(|error| error.to_string())?;
        let facts = project.package_lock().map_err(|error| error.to_string())?;
        let version = facts.and_then(|facts| facts.version);
        match step {
            Some(LockStep::InStep) => {}
            Some(LockStep::Unknown) if version == Some(1) => {}
            Some(LockStep::Behind(what)) => return Err(what),
            _ => return Err(format!("whether `{lock}` is in step is not known")),
        }
        match node(place) {
            Node::Major(major) if major < 10 => {
                return Err(format!("npm of Node {major} may not know `npm ci`"));
            }
            Node::Packaged => {
                return Err("npm is a package of the distribution: it may be too old".to_owned());
            }
            _ => {}
        }
        match version {
            Some(3) if has_npm_7(place) == Some(false) => {
                Err(format!("npm before 7 does not read version 3 of `{lock}`"))
            }
            Some(1..=3) => Ok(()),
            _ => Err(format!("the version of `{lock}` is not known")),
        }
    }

    /// A line of the project's `.npmrc` that speaks against it.
    fn setting(&self, place: &Place<'_>, root: &str) -> Option<String> {
        let bytes = place
            .cx
            .context
            .read(&path::join(root, ".npmrc"), 1 << 16)
            .ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = text.lines().map(str::trim);
        let mut named = lines.filter_map(|line| {
            let (key, _) = line.split_once('=')?;
            let known = self.settings.iter().any(|setting| setting == key.trim());
            known.then(|| line.to_owned())
        });
        named.next()
    }
}

/// `npm install` or `npm i` of the project: no package, not global.
fn is_project_install(one: &Invocation) -> bool {
    one.manager.name == "npm"
        && one.role == Role::Install
        && matches!(one.subcommand_name.as_str(), "install" | "i")
        && one.packages.is_empty()
        && !one.may_be_global()
}

/// What has put something into `node_modules` before: `npm ci` deletes it.
fn installed_before(
    place: &Place<'_>,
    script: &Script,
    found: &CommandAt<'_>,
    directory: &str,
) -> Option<String> {
    let modules = path::join(directory, "node_modules");
    if place.step().mounts_over(&modules) {
        return Some(
            "a mount of the step covers `node_modules`, which `npm ci` deletes".to_owned(),
        );
    }
    match place.origin(&modules) {
        Ok(None) => {}
        Ok(Some(_)) => return Some("`node_modules` of the build context is copied".to_owned()),
        Err(reason) => return Some(reason),
    }
    let installs = |place: &Place<'_>, script: &Script, at: &CommandAt<'_>| {
        let one = invocation(&at.command.words)?;
        let is_other = one.manager.kind == Kind::Node
            && matches!(one.role, Role::Install | Role::Upgrade)
            && !one.may_be_global();
        let there = place.directory(script, at, &one);
        let same = there.is_none_or(|there| there == directory);
        (is_other && same).then(|| {
            let shown = first_words(&place.cx.shown(at.command.span));
            format!("`{shown}` has put something into `node_modules` before")
        })
    };
    let start = found.command.span.start;
    let commands = script.commands();
    let mut earlier = commands.iter().filter(|at| at.command.span.start < start);
    if let Some(reason) = earlier.find_map(|at| installs(place, script, at)) {
        return Some(reason);
    }
    place.before().iter().find_map(|before| {
        let script = before.step().script()?;
        let commands = script.commands();
        commands.iter().find_map(|at| installs(before, script, at))
    })
}
