//! Adds a flag to the commands of package managers: one that answers prompts with yes, that keeps no cache, or that
//! leaves out what nobody needs. Never takes a flag away, and never adds one beside another that says something about
//! the same.

mod cache;
mod prompt;
mod release;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::managers::{self, Invocation, Manager, Role, invocation};
use crate::pass::runs::{Stage, Step};
use crate::pass::{Findings, Pass, PassContext};
use crate::rule::Applicability;
use crate::syntax::shell::{Command, CommandAt, Script, Word};
use crate::text::Edit;
use release::Old;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddInstallFlag {
    /// Package managers, by their table.
    managers: Vec<String>,
    /// What the flag says.
    flag: Says,
    /// The roles of the commands that it is for.
    roles: Vec<Role>,
    /// Sub-commands of these roles that it is not for.
    #[serde(default)]
    except: Vec<String>,
    /// What a lean install leaves out.
    #[serde(default)]
    surplus: String,
    /// Flags that are a choice, beside those that say the same.
    #[serde(default)]
    respected: Vec<String>,
    /// Texts of the file, in whatever case, that show that it decides in another way.
    #[serde(default)]
    settings: Vec<String>,
    /// Families of base images in which the flag is set for all commands.
    #[serde(default)]
    bases: Vec<String>,
    /// By manager: where it may not know the flag.
    #[serde(default)]
    old: BTreeMap<String, Old>,
}

/// What a flag says: a field of the table of package managers.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Says {
    Yes,
    NoCache,
    Lean,
}

impl Says {
    /// The flags that say so, the one to write first.
    fn flags(self, manager: &Manager) -> &[String] {
        match self {
            Self::Yes => &manager.yes,
            Self::NoCache => &manager.no_cache,
            Self::Lean => &manager.lean,
        }
    }
}

impl Pass for AddInstallFlag {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let file = String::from_utf8_lossy(cx.text).to_lowercase();
        let managers = self.managers.iter();
        for manager in managers.filter_map(|name| managers::by_name(name)) {
            let Some(flag) = self.flag.flags(manager).first() else {
                continue;
            };
            let search = Search {
                rule: self,
                cx,
                manager,
                flag,
                setting: self.setting_in(&file),
            };
            // What is known at the end of each stage so far, for those that are built on it.
            let mut ends: Vec<Known> = Vec::new();
            for stage in cx.stages {
                let base = stage.base.and_then(|base| ends.get(base).cloned());
                ends.push(search.stage(stage, base.unwrap_or_default(), out));
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        managers::marks(&self.managers)
    }
}

impl AddInstallFlag {
    /// What is wrong with a command that lacks the flag.
    fn message(&self, name: &str) -> String {
        match self.flag {
            Says::Yes => format!("`{name}` may ask, and nobody answers"),
            Says::NoCache => format!("`{name}` keeps its cache in the layer"),
            Says::Lean => format!("`{name}` installs {} too", self.surplus),
        }
    }

    /// The first setting that `text`, in lower case, mentions.
    fn setting_in(&self, text: &str) -> Option<&str> {
        let mut settings = self.settings.iter();
        let found = settings.find(|setting| text.contains(&setting.to_lowercase()))?;
        Some(found)
    }
}

/// The search for the commands of one package manager.
struct Search<'a> {
    rule: &'a AddInstallFlag,
    cx: &'a PassContext<'a>,
    manager: &'static Manager,
    /// The flag to write.
    flag: &'static str,
    /// The setting that the file mentions.
    setting: Option<&'a str>,
}

/// What the steps so far tell.
#[derive(Clone, Default)]
struct Known {
    /// The variable of the environment that decides about the cache.
    set: Option<&'static str>,
    /// Whether the manager is installed as a package of the distribution.
    packaged: bool,
}

/// A command of the manager, and what stands around it.
struct Place<'a> {
    ships: bool,
    known: &'a Known,
    step: &'a Step<'a>,
    script: &'a Script,
    found: CommandAt<'a>,
    asked: &'a Invocation,
    /// Whether a later step reads the cache.
    is_read: bool,
}

impl Search<'_> {
    /// Looks at one stage, where `known` holds at its start; what is known at its end.
    fn stage(&self, stage: &Stage<'_>, mut known: Known, out: &mut Findings) -> Known {
        let reads = |step: &Step<'_>| cache::reads(step, self.manager);
        let last_reader = stage.steps.iter().rposition(reads);
        for (at, step) in stage.steps.iter().enumerate() {
            known.set = known.set.or_else(|| cache::sets(step, self.manager));
            let Some(script) = step.script() else {
                continue;
            };
            let old = self.old();
            known.packaged |= old.is_some_and(|old| old.is_packaged(script));
            for found in script.commands() {
                let Some(asked) = self.asked(found.command) else {
                    continue;
                };
                let place = Place {
                    ships: stage.ships,
                    known: &known,
                    step,
                    script,
                    found,
                    asked: &asked,
                    is_read: last_reader.is_some_and(|last| last > at),
                };
                self.look(&place, out);
            }
        }
        known
    }

    /// The command as an invocation that lacks the flag.
    fn asked(&self, command: &Command) -> Option<Invocation> {
        let asked = invocation(&command.words)?;
        let is_meant = asked.manager.name == self.manager.name
            && self.rule.roles.contains(&asked.role)
            && !self.rule.except.contains(&asked.subcommand_name);
        let is_answered = is_given(&asked, self.rule.flag.flags(self.manager))
            || is_given(&asked, &self.rule.respected);
        (is_meant && !is_answered).then_some(asked)
    }

    fn old(&self) -> Option<&Old> {
        self.rule.old.get(&self.manager.name)
    }

    fn look(&self, place: &Place<'_>, out: &mut Findings) {
        let command = place.found.command;
        if self.has_nothing_to_do(place) {
            return;
        }
        if let Some(reason) = self.decline(place) {
            return out.decline(command.span, reason);
        }
        let Some(last) = place.asked.subcommand.last() else {
            return;
        };
        let before_flag = match self.rule.flag == Says::Yes && self.manager.yes_first {
            true => place.asked.command,
            false => *last,
        };
        let (Some(named), Some(word)) =
            (command.words.get(..=*last), command.words.get(before_flag))
        else {
            return;
        };
        let name: Vec<&str> = named.iter().map(|word| &*word.text).collect();
        let edit = Edit::insert(word.span.end, format!(" {}", self.flag));
        let mut fix = self.cx.fix(format!("add `{}`", self.flag), vec![edit]);
        if self.rule.flag == Says::Yes
            && !prompt::must_succeed(place)
            && let Some(fix) = &mut fix
        {
            fix.applicability = fix.applicability.min(Applicability::Unsafe);
            fix.title += ", where a failure has gone unseen";
        }
        out.report(command.span, self.rule.message(&name.join(" ")), fix);
    }

    fn has_nothing_to_do(&self, place: &Place<'_>) -> bool {
        let command = place.found.command;
        let written = self.cx.shown(command.span).to_lowercase();
        match self.rule.flag {
            Says::NoCache => cache::is_emptied(place, self.manager),
            Says::Yes => self.rule.setting_in(&written).is_some(),
            Says::Lean => false,
        }
    }

    /// Why a command is left alone.
    fn decline(&self, place: &Place<'_>) -> Option<String> {
        let common = || self.decided().or_else(|| self.unknown_words(place));
        let before = place.step.before;
        match self.rule.flag {
            Says::Yes => prompt::answered(place).or_else(common),
            Says::NoCache => unshipped(place)
                .or_else(|| self.too_old(place))
                .or_else(|| cache::decline(place, self.manager)),
            Says::Lean => unshipped(place)
                .or_else(|| {
                    let mut bases = self.rule.bases.iter();
                    let base = bases.find(|family| before.base().is_family(family))?;
                    Some(format!("the image `{base}` sets `{}` for all", self.flag))
                })
                .or_else(common)
                .or_else(|| self.too_old(place)),
        }
    }

    fn decided(&self) -> Option<String> {
        let setting = self.setting?;
        Some(format!("the file mentions `{setting}`"))
    }

    fn too_old(&self, place: &Place<'_>) -> Option<String> {
        let old = self.old()?;
        old.decline(self.cx, place.step.before, place.known.packaged, self.flag)
    }

    /// A word that may be the flag, or another one that speaks of the same.
    fn unknown_words(&self, place: &Place<'_>) -> Option<String> {
        let flags = place.asked.flags.iter();
        let values: BTreeSet<usize> = flags
            .filter_map(|flag| Some(flag.value.as_ref()?.word))
            .collect();
        let words = place.found.command.words.iter().enumerate();
        let mut words = words.skip(place.asked.command);
        let (_, word) =
            words.find(|(index, word)| !values.contains(index) && may_be_option(word))?;
        Some(format!("what `{}` expands to is not known", word.text))
    }
}

fn unshipped(place: &Place<'_>) -> Option<String> {
    (!place.ships).then(|| "this stage does not ship".to_owned())
}

/// Whether a flag of `listed` is given, with whatever value where none is listed.
fn is_given(asked: &Invocation, listed: &[String]) -> bool {
    listed.iter().any(|one| match one.split_once('=') {
        None => asked.flags_named(one).next().is_some(),
        Some((name, value)) => {
            let mut flags = asked.flags_named(name);
            flags.any(|flag| flag.text() == Some(value))
        }
    })
}

/// Whether a word starts with what is not known, so that it may be an option.
fn may_be_option(word: &Word) -> bool {
    let text = word.text.trim_start_matches('"');
    word.literal.is_none() && text.starts_with(['$', '`', '-'])
}
