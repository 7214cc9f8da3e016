//! What a package manager downloaded to install from is deleted behind the command that installed it, in the same step.
//! Never what a later command installs or builds from.

mod needs;
mod yarn;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::managers::{self, Invocation, Role, invocation};
use crate::pass::layout::insert_command;
use crate::pass::runs::{Stage, Step};
use crate::pass::{Findings, Pass, PassContext, ending, later};
use crate::rule::Applicability;
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, CommandAt, Script};
use crate::text::Span;
use needs::{asks_for_help, is_mounted, user};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CleanCache {
    /// Tables of `rules/data/managers.toml`.
    managers: Vec<String>,
    /// What commands do that fill the cache.
    fills: Vec<Role>,
    /// What other commands do behind which it is emptied.
    #[serde(default)]
    uses: Vec<Role>,
    /// What follows the command's name to empty the cache, by that name; else the first of the table's.
    #[serde(default)]
    clean: BTreeMap<String, String>,
    /// A shell command that empties the cache, where the manager has none.
    #[serde(default)]
    delete: Option<String>,
    /// Words with which a command of the manager needs the cache.
    #[serde(default)]
    needs: Vec<String>,
    /// Flags and variables of a command that put the cache, or what is installed, elsewhere.
    moves: Vec<String>,
    /// Ends of paths whose deletion empties the cache, besides those of the table.
    #[serde(default)]
    emptied: Vec<String>,
    /// Sub-commands for which cleaning wins nothing.
    #[serde(default)]
    pointless: Vec<Pointless>,
    /// Texts in the stage after which the cache is not what it seems.
    #[serde(default)]
    unless: Vec<Unless>,
    /// The only image in which the command is known to work.
    #[serde(default)]
    image: Option<Image>,
    /// The cache is emptied after the last use in the stage only.
    #[serde(default)]
    last: Option<Last>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointless {
    subcommands: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unless {
    texts: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    /// A family of `rules/data/images.toml`.
    family: String,
    /// The first version of it.
    since: Option<String>,
    /// What must be as the image sets it.
    variable: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    /// What is emptied where an earlier step filled the cache; without it nothing is won there.
    again: Option<String>,
    /// Other programs that use the cache.
    builders: Vec<String>,
}

/// A command that fills the cache.
struct Fill<'a> {
    at: CommandAt<'a>,
    invocation: Invocation,
}

impl Fill<'_> {
    /// The name by which the manager is called.
    fn name(&self) -> &str {
        let word = self.at.command.words.get(self.invocation.command);
        let path = word.map_or("", |word| word.text.as_str());
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// A step that fills the cache, and what it stands among.
struct Place<'a> {
    stage: &'a Stage<'a>,
    at: usize,
    script: &'a Script,
    fills: &'a [Fill<'a>],
    /// What makes the cache of the stage something else.
    unless: Option<&'a Unless>,
    /// Whether a step before it filled the cache.
    filled: bool,
    /// What follows and needs the cache: its arguments.
    later: Option<Span>,
    /// What copies the cache out of the stage.
    copied: Option<Span>,
    /// Whether the stage says what starts in the container.
    starts: bool,
    /// Whether yarn is yarn 1, where that can be seen.
    classic: Option<bool>,
}

/// What a stage leaves to those that are built on it.
#[derive(Clone, Copy, Default)]
struct End<'a> {
    unless: Option<&'a Unless>,
    filled: bool,
}

impl Pass for CleanCache {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let needs = |step: &Step<'_>, next: Option<Span>| match self.needs_cache(step) {
            true => Some(step.instruction.args_span),
            false => next,
        };
        let later = later::following(cx.stages, needs, |one, _| one);
        let copied = self.copied(cx.stages);
        let yarn = self.managers.iter().any(|name| name == "yarn");
        let classic = yarn.then(|| yarn::is_classic(cx.context)).flatten();
        let mut ends: Vec<End<'_>> = Vec::new();
        for (stage, later) in cx.stages.iter().zip(&later) {
            let base = stage.base.and_then(|base| ends.get(base)).copied();
            let mut end = base.unwrap_or_default();
            end.unless = end.unless.or_else(|| self.unless(stage));
            let mut keywords = stage.steps.iter().map(|step| step.instruction.keyword);
            let starts = keywords.any(|one| matches!(one, Keyword::Cmd | Keyword::Entrypoint));
            for (at, step) in stage.steps.iter().enumerate() {
                let Some(script) = step.script() else {
                    continue;
                };
                let place = Place {
                    stage,
                    at,
                    script,
                    fills: &self.fills(script),
                    unless: end.unless,
                    filled: end.filled,
                    later: later[at],
                    copied: copied[stage.model.index],
                    starts,
                    classic,
                };
                self.look(cx, &place, out);
                end.filled |= !place.fills.is_empty();
            }
            ends.push(end);
        }
    }

    fn marks(&self) -> Vec<&str> {
        managers::marks(&self.managers)
    }
}

impl CleanCache {
    fn fills<'a>(&self, script: &'a Script) -> Vec<Fill<'a>> {
        let commands = script.commands().into_iter();
        let fill = |at: CommandAt<'a>| {
            let invocation = self.ours(at.command)?;
            let fills = self.fills.contains(&invocation.role)
                && !invocation.keeps_no_cache()
                && !asks_for_help(&invocation)
                && !self.is_offline(at.command);
            fills.then_some(Fill { at, invocation })
        };
        commands.filter_map(fill).collect()
    }

    /// The command as one of the rule's package managers.
    fn ours(&self, command: &Command) -> Option<Invocation> {
        let invocation = invocation(&command.words)?;
        self.managers
            .contains(&invocation.manager.name)
            .then_some(invocation)
    }

    fn look(&self, cx: &PassContext<'_>, place: &Place<'_>, out: &mut Findings) {
        let Some(last) = place.fills.last() else {
            return;
        };
        let behind = |at: &&CommandAt<'_>| at.command.span.start >= last.at.command.span.end;
        let commands = place.script.commands();
        if commands
            .iter()
            .filter(behind)
            .any(|at| self.empties(at.command))
        {
            return;
        }
        let span = last.at.command.span;
        let clean = match self
            .decline(cx, place)
            .map_or_else(|| self.clean(place, last), Err)
        {
            Ok(clean) => clean,
            Err(reason) => return out.decline(span, reason),
        };
        let uses = |at: &&CommandAt<'_>| {
            let ours = self.ours(at.command);
            let uses = |one: &Invocation| self.uses.contains(&one.role) && !asks_for_help(one);
            ours.as_ref().is_some_and(uses) || self.command_needs(at.command)
        };
        let last_use = commands.iter().filter(behind).rfind(uses);
        let top = last_use.map_or(last.at.top, |at| at.top);
        let step = &place.stage.steps[place.at];
        let Some(edit) = insert_command(step.instruction, place.script, cx.text, top, &clean)
        else {
            return out.decline(
                span,
                "there is no place behind the install to write a command",
            );
        };
        let name = last.name();
        let title = format!("empty the cache of `{name}` in the same step");
        let mut message = format!("the cache of `{name}` stays in the layer");
        let mut fix = cx.fix(title, vec![edit]);
        if let Some(fix) = &mut fix
            && !place.is_certain()
        {
            fix.applicability = fix.applicability.min(Applicability::Unsafe);
            message.push_str("; that it is yarn 1 cannot be seen");
        }
        out.report(span, message, fix);
    }

    /// Why the cache must stay, or stays without harm.
    fn decline(&self, cx: &PassContext<'_>, place: &Place<'_>) -> Option<String> {
        let step = &place.stage.steps[place.at];
        if !place.stage.ships {
            return Some("this stage does not ship".to_owned());
        }
        if let Some(found) = place.unless {
            return Some(found.reason.clone());
        }
        if place.classic == Some(false) {
            return Some(
                "the project uses yarn 2 or later, whose cache may be the installation".to_owned(),
            );
        }
        if let Some(moved) = place.fills.iter().find_map(|fill| self.moved(fill)) {
            return Some(format!("`{moved}` puts what is downloaded elsewhere"));
        }
        if let Some(reason) = self.pointless(place.fills) {
            return Some(reason.to_owned());
        }
        if place
            .fills
            .iter()
            .any(|fill| is_mounted(step, &fill.invocation))
        {
            return Some("a mount of the step covers the cache".to_owned());
        }
        let made: Vec<_> = place.fills.iter().map(|fill| fill.at).collect();
        if let Some(reason) = ending::obstacle(step, place.script, &made) {
            return Some(reason.to_owned());
        }
        let next = place.stage.steps.get(place.at + 1);
        if next.is_some_and(|step| self.only_empties(step)) {
            return Some("the next step empties the cache: the two should be one".to_owned());
        }
        if let Some(copy) = place.copied {
            let copy = later::shortened(&cx.shown(copy));
            return Some(format!("`{copy}` copies the cache out of the stage"));
        }
        let args = place.later?;
        let user = later::shortened(&cx.shown(args));
        Some(match self.last {
            None => format!("`{user}`, which follows, installs from the cache"),
            Some(_) => format!("`{user}`, which follows, may use the cache"),
        })
    }

    /// The command that empties the cache, or why there is none.
    fn clean(&self, place: &Place<'_>, last: &Fill<'_>) -> Result<String, String> {
        let refuse = |reason: &str| Err(reason.to_owned());
        let step = &place.stage.steps[place.at];
        if let Some(reason) = self.image.as_ref().and_then(|image| image.obstacle(step)) {
            return Err(reason);
        }
        let own = |clean: &str| ending::own_command(last.at.command, &last.invocation, clean);
        if place.fills.iter().any(|fill| user(fill) != user(last)) {
            return refuse("the installs run as different users");
        }
        if let Some(Last { again, .. }) = &self.last {
            if !place.starts {
                return refuse("what runs in the container is not known, and may build");
            }
            if place.filled {
                let again = again.as_deref().map(own);
                return again.ok_or(
                    "an earlier step filled the cache: deleting it here saves nothing".to_owned(),
                );
            }
        }
        if let Some(delete) = &self.delete {
            if last.invocation.other_user {
                return refuse("the install runs as another user");
            }
            if place.filled && step.before.is_root() != Some(true) {
                return refuse("an earlier step may have filled the cache as another user");
            }
            return Ok(delete.clone());
        }
        let name = last.name();
        let listed = self
            .clean
            .get(name)
            .or(last.invocation.manager.clean.first());
        listed
            .map(|clean| own(clean))
            .ok_or_else(|| "the manager has no command for it".to_owned())
    }
}

impl Place<'_> {
    /// Whether the command that cleans is certain to be that of the manager which filled the cache.
    fn is_certain(&self) -> bool {
        let is_unclear = |fill: &Fill<'_>| {
            let global = fill.invocation.subcommand_name.starts_with("global ");
            fill.invocation.manager.name == "yarn" && !global
        };
        self.classic == Some(true) || !self.fills.iter().any(is_unclear)
    }
}
