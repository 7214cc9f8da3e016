//! Packages that only development needs are not installed into the image. Never where something that is seen to run
//! behind the install needs them, and never where nobody can tell what they are.

mod behind;
mod node;
mod php;
mod python;
mod ruby;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::managers::{self, Flag, Invocation, Role, invocation};
use crate::model::state::State;
use crate::pass::development::{Development, Tools};
use crate::pass::layout::Layout;
use crate::pass::node_packages;
use crate::pass::project_place::Place;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::shell::{CommandAt, Operator, Script};
use crate::text::{Edit, Span};
use behind::Behind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OmitDev {
    /// The package manager's name in the table.
    manager: String,
    /// Its sub-commands that install the project; an empty one is none at all.
    install: Vec<String>,
    /// The flag to write.
    #[serde(default)]
    flag: Option<String>,
    /// The command to write before the install, in place of a flag.
    #[serde(default)]
    before: Option<String>,
    /// Older spellings of the flag, which it takes the place of.
    #[serde(default)]
    old: Vec<String>,
    /// Flags that say the same: nothing is left to do.
    done: Vec<String>,
    /// Flags that ask for development packages, or choose among them.
    chosen: Vec<String>,
    /// Variables that decide, each with the values under which nothing is left to do; `*` is any.
    environment: BTreeMap<String, Vec<String>>,
    /// Programs that load development packages when they run in a later step. Those of Node are in a table of their own.
    #[serde(default)]
    builders: Vec<String>,
    /// The commands of packages that are not called like their package. Likewise.
    #[serde(default)]
    commands: BTreeMap<String, Vec<String>>,
    /// Packages that load development packages unless a variable has this value, as package, variable, value.
    #[serde(default)]
    modes: Vec<[String; 3]>,
    /// Whether CMD or ENTRYPOINT must say what runs.
    program: bool,
}

/// A project and the command that installs it.
struct Install<'a> {
    place: Place<'a>,
    script: &'a Script,
    found: CommandAt<'a>,
    invocation: Invocation,
    /// Its directory in the image.
    directory: String,
}

impl Pass for OmitDev {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for (stage, one) in cx.stages.iter().enumerate() {
            for (step, of_stage) in one.steps.iter().enumerate() {
                let Some(script) = of_stage.script() else {
                    continue;
                };
                let place = Place { cx, stage, step };
                for found in script.commands() {
                    self.look(place, script, found, out);
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        managers::marks([&self.manager])
    }
}

impl OmitDev {
    fn look(&self, place: Place<'_>, script: &Script, found: CommandAt<'_>, out: &mut Findings) {
        let command = found.command;
        let Some(invocation) = invocation(&command.words).filter(|one| self.installs(one)) else {
            return;
        };
        let is_done = |one: &&String| gives(&invocation, one);
        if self.done.iter().any(|one| is_done(&one)) {
            return;
        }
        match self.edits(place, script, found, invocation) {
            Ok(None) => {}
            Err(reason) => out.decline(command.span, reason),
            Ok(Some((message, title, edit))) => {
                out.report(command.span, message, place.cx.fix(title, vec![edit]));
            }
        }
    }

    fn tools(&self) -> Tools<'_> {
        match self.manager.as_str() {
            "npm" => node_packages::tools("npm"),
            manager => Tools {
                manager,
                builders: &self.builders,
                commands: &self.commands,
            },
        }
    }

    fn installs(&self, one: &Invocation) -> bool {
        one.manager.name == self.manager
            && one.role == Role::Install
            && self.install.contains(&one.subcommand_name)
            && one.packages.is_empty()
            && !one.may_be_global()
    }

    /// Message, title and edit; `None` where nothing is left to do.
    fn edits(
        &self,
        place: Place<'_>,
        script: &Script,
        found: CommandAt<'_>,
        invocation: Invocation,
    ) -> Result<Option<(String, String, Edit)>, String> {
        if invocation.dynamic {
            return Err("a word of the command is not literal".to_owned());
        }
        if let Some(flag) = self.chosen.iter().find(|one| gives(&invocation, one)) {
            return Err(format!("`{flag}` chooses what is installed"));
        }
        if self.settled(place.step().before, script, &found)? {
            return Ok(None);
        }
        if self.manager == "bundler" && ruby::configured(&place) == Some(ruby::Configured::Chosen) {
            return Ok(None);
        }
        let old = self.old.iter();
        if let Some((old, span)) = old
            .flat_map(|old| old_spelling(old, &invocation, &found))
            .next()
        {
            return self.respell(place, script, found, invocation, (old, span));
        }
        if !place.stage().ships {
            return Err("this stage does not ship".to_owned());
        }
        let install = self.install_of(place, script, found, invocation)?;
        let development = self.development(&install)?;
        self.check_version(&install.place)?;
        self.check_modes(&install, &development)?;
        Behind::new(self, &install, &development).check()?;
        self.edit(&install).map(Some)
    }

    fn install_of<'a>(
        &self,
        place: Place<'a>,
        script: &'a Script,
        found: CommandAt<'a>,
        invocation: Invocation,
    ) -> Result<Install<'a>, String> {
        if !place.cx.context.is_known() {
            return Err("the build context is not known".to_owned());
        }
        let directory = place
            .directory(script, &found, &invocation)
            .ok_or("the directory of the install is not known")?;
        Ok(Install {
            place,
            script,
            found,
            invocation,
            directory,
        })
    }

    /// What the manifest has for development.
    fn development(&self, install: &Install<'_>) -> Result<Development, String> {
        match self.manager.as_str() {
            "npm" => node::development(install),
            "composer" => php::development(install),
            "bundler" => ruby::development(install),
            _ => python::development(install),
        }
    }

    /// Whether the program is known to be new enough for what is written.
    fn check_version(&self, place: &Place<'_>) -> Result<(), String> {
        match self.manager.as_str() {
            "npm" => node::check_version(place),
            "bundler" => ruby::check_version(place),
            "poetry" => python::check_version(place),
            _ => Ok(()),
        }
    }

    /// Whether a variable leaves nothing to do.
    ///
    /// # Errors
    /// A variable decides otherwise.
    fn settled(
        &self,
        state: &State,
        script: &Script,
        found: &CommandAt<'_>,
    ) -> Result<bool, String> {
        for (name, values) in &self.environment {
            let here = assigned(script, found, name);
            let set = state
                .variable(name)
                .map(|variable| variable.value.as_deref());
            let Some(value) = here.as_ref().map(Option::as_deref).or(set) else {
                continue;
            };
            let any = values.iter().any(|one| one == "*");
            match value {
                Some(value) if any || values.iter().any(|one| one == value) => return Ok(true),
                Some("") => {}
                _ if any => return Ok(true),
                Some(value) => return Err(format!("`{name}` is `{value}`")),
                None => return Err(format!("what `{name}` is set to is not known")),
            }
        }
        Ok(false)
    }

    fn check_modes(&self, install: &Install<'_>, development: &Development) -> Result<(), String> {
        let all = || development.production.iter().chain(&development.packages);
        for [package, variable, value] in &self.modes {
            let variables: Vec<&str> = variable.split('|').collect();
            let states = install.place.step().before;
            let end = &install.place.stage().model.end;
            let is_set = |state: &State| {
                let found = variables.iter().filter_map(|name| state.variable(name));
                found
                    .into_iter()
                    .any(|one| one.value.as_deref() == Some(value.as_str()))
            };
            if all().any(|one| one == package) && !is_set(states) && !is_set(end) {
                let name = variables.first().copied().unwrap_or_default();
                return Err(format!(
                    "`{name}` is not `{value}`: `{package}` may load development packages"
                ));
            }
        }
        Ok(())
    }

    /// The older spelling becomes the flag; what is installed is the same.
    fn respell(
        &self,
        place: Place<'_>,
        script: &Script,
        found: CommandAt<'_>,
        invocation: Invocation,
        (old, span): (&str, Span),
    ) -> Result<Option<(String, String, Edit)>, String> {
        let flag = self.flag.clone().unwrap_or_default();
        match self.manager.as_str() {
            "npm" if node::is_old(&place) => return Ok(None),
            "poetry" if python::is_old(&place) => return Ok(None),
            _ => self.check_version(&place)?,
        }
        if self.manager == "poetry" {
            let install = self.install_of(place, script, found, invocation)?;
            self.development(&install)?;
        }
        let message = format!("`{old}` is an old spelling of `{flag}`");
        let edit = Edit::replace(span, flag.clone());
        Ok(Some((message, format!("write `{flag}`"), edit)))
    }

    fn edit(&self, install: &Install<'_>) -> Result<(String, String, Edit), String> {
        let words = &install.found.command.words;
        let last = install.invocation.subcommand.last();
        let last = last.copied().unwrap_or(install.invocation.command);
        let span = words
            .get(last)
            .map(|word| word.span)
            .ok_or("the command has no words")?;
        let name = &install.invocation.manager.commands[0];
        let subcommand = &install.invocation.subcommand_name;
        let shown = format!("{name} {subcommand}");
        let message = format!("`{}` installs development packages too", shown.trim_end());
        match (&self.flag, &self.before) {
            (Some(flag), _) => {
                let edit = Edit::insert(span.end, format!(" {flag}"));
                Ok((message, format!("add `{flag}`"), edit))
            }
            (None, Some(before)) => {
                let edit = insert_before(install, before)?;
                Ok((
                    message,
                    "leave out the groups development and test".to_owned(),
                    edit,
                ))
            }
            (None, None) => Err("the rule has neither a flag nor a command".to_owned()),
        }
    }
}

/// `command` before the install, in its list.
fn insert_before(install: &Install<'_>, command: &str) -> Result<Edit, String> {
    let (found, script) = (&install.found, install.script);
    if found.inside.is_some() || !install.invocation.wrappers.is_empty() {
        return Err("the install is inside another command".to_owned());
    }
    let before = found
        .top
        .checked_sub(1)
        .and_then(|at| script.statements.get(at));
    let joint = before.map(|one| one.operator.map(|(operator, _)| operator));
    if !matches!(joint, None | Some(Some(Operator::And))) {
        return Err("the install stands behind something else than `&&`".to_owned());
    }
    let statement = script
        .statements
        .get(found.top)
        .ok_or("the command is no statement")?;
    if statement.negated {
        return Err("the outcome of the install is negated".to_owned());
    }
    let text = install.place.cx.text;
    let instruction = install.place.step().instruction;
    if !instruction.heredocs.is_empty() {
        return Err("the script is a here-document".to_owned());
    }
    let layout = Layout::of(instruction, script, text);
    let start = statement.span.start;
    // A line that grows too long is broken when all rules have run.
    let mut insert = command.as_bytes().to_vec();
    match layout.single_line {
        true => insert.extend_from_slice(b" && "),
        false => insert.extend(layout.break_before_command()),
    }
    Ok(Edit::insert(start, insert))
}

/// Whether a flag is given, as the rule writes it: `--name`, or `--name=value`, the value one of a list.
fn gives(invocation: &Invocation, listed: &str) -> bool {
    let (name, wanted) = match listed.split_once('=') {
        None => (listed, None),
        Some((name, value)) => (name, Some(value)),
    };
    let has = |flag: &Flag| match (wanted, flag.text()) {
        (None, _) => true,
        (Some(wanted), Some(text)) => text.split([',', ' ']).any(|one| one == wanted),
        (Some(_), None) => false,
    };
    invocation.flags_named(name).any(has)
}

/// The span of `old` among the words of the command: a flag of its own, and not one of a cluster.
fn old_spelling<'o>(
    old: &'o str,
    invocation: &Invocation,
    found: &CommandAt<'_>,
) -> Option<(&'o str, Span)> {
    let (name, wanted) = match old.split_once('=') {
        None => (old, None),
        Some((name, value)) => (name, Some(value)),
    };
    let flag = invocation
        .flags_named(name)
        .find(|flag| flag.text() == wanted)?;
    let span = found.command.words.get(flag.word)?.span;
    let value = flag
        .value
        .as_ref()
        .and_then(|value| found.command.words.get(value.word));
    Some((old, value.map_or(span, |value| span.cover(value.span))))
}

/// What a command of the script sets a variable to, before or for the install; the inner `None` where that is unknown.
fn assigned(script: &Script, found: &CommandAt<'_>, name: &str) -> Option<Option<String>> {
    let value = |text: &str| {
        let (key, value) = text.split_once('=')?;
        let plain = !value.contains(['$', '`']);
        (key == name).then(|| plain.then(|| value.trim_matches(['"', '\'']).to_owned()))
    };
    let own = found.command.assignments.iter().chain(&found.command.words);
    if let Some(value) = own.filter_map(|word| value(&word.text)).next_back() {
        return Some(value);
    }
    let earlier = script.top_commands().take_while(|(at, _)| *at < found.top);
    let lasting =
        earlier.filter(|(_, command)| command.words.is_empty() || command.name() == Some("export"));
    let words = lasting.flat_map(|(_, command)| command.assignments.iter().chain(&command.words));
    words.filter_map(|word| value(&word.text)).last()
}
