//! The package lists are deleted at the end of the step that fetched them. Never where a later step installs from them.

use serde::Deserialize;

use crate::pass::command::{self, is_any};
use crate::pass::ending;
use crate::pass::later::{self, runs_script, shortened};
use crate::pass::layout::append_command;
use crate::pass::runs::{Stage, Step};
use crate::pass::{Findings, Pass, PassContext};
use crate::rule::Applicability;
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, CommandAt, Script};
use crate::text::Span;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CleanIndexes {
    /// Commands that read the lists.
    install: Vec<Vec<String>>,
    /// Commands that fetch the lists.
    update: Vec<Vec<String>>,
    /// Where the lists are.
    indexes: Vec<String>,
    /// The command that deletes them.
    clean: String,
    /// Other words of an `rm` or `find` after which nothing is left to do.
    cleaned: Vec<String>,
}

impl Pass for CleanIndexes {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let later = self.later(cx.stages);
        for (stage, later) in cx.stages.iter().zip(&later) {
            for (at, step) in stage.steps.iter().enumerate() {
                if let Some(script) = step.script() {
                    let place = Place {
                        stage,
                        at,
                        later: later[at],
                    };
                    self.look(cx, place, script, out);
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        command::names(self.install.iter().chain(&self.update))
    }
}

/// A step, and what follows it as far as it matters to the lists.
struct Place<'a> {
    stage: &'a Stage<'a>,
    at: usize,
    later: Option<Later>,
}

/// The first thing behind a step that uses the lists, or may.
#[derive(Clone, Copy)]
enum Later {
    /// It installs without fetching them first: its arguments.
    Reads(Span),
    /// It runs a script that is not read here.
    Script(Span),
}

impl CleanIndexes {
    /// For each step of each stage, what follows it in the stage or in one that is built on it.
    fn later(&self, stages: &[Stage<'_>]) -> Vec<Vec<Option<Later>>> {
        // What certainly reads them counts for more than what may.
        let surer = |one, other| match (one, other) {
            (Later::Script(_), Later::Reads(_)) => other,
            _ => one,
        };
        let before = |step: &Step<'_>, next: Option<Later>| match (self.use_of(step), next) {
            (None, next) => next,
            (Some(Some(first)), Some(next)) => Some(surer(first, next)),
            (Some(first), _) => first,
        };
        later::following(stages, before, surer)
    }

    /// What a step does to the lists that it finds: `Some(None)` where it fetches new ones, `None` where nothing.
    fn use_of(&self, step: &Step<'_>) -> Option<Option<Later>> {
        let args = step.instruction.args_span;
        let Some(script) = step.script() else {
            return self
                .may_read_unseen(step)
                .then_some(Some(Later::Reads(args)));
        };
        let mut scripts = None;
        for at in script.commands() {
            if is_any(at.command, &self.update) {
                let certain = at.inside.is_none() && scripts.is_none();
                return certain.then_some(None).or(scripts);
            }
            if reads_lists(at.command) {
                return Some(Some(Later::Reads(args)));
            }
            if runs_script(at.command) {
                scripts = Some(Some(Later::Script(args)));
            }
        }
        scripts
    }

    fn look(&self, cx: &PassContext<'_>, place: Place<'_>, script: &Script, out: &mut Findings) {
        let step = &place.stage.steps[place.at];
        let commands = script.commands();
        let mut installs = commands.iter().rev();
        let Some(install) = installs.find(|at| is_any(at.command, &self.install)) else {
            return;
        };
        let last_use = commands
            .iter()
            .rposition(|at| is_any(at.command, &self.install) || is_any(at.command, &self.update));
        let after = commands[last_use.unwrap_or(0)..].iter();
        if after.clone().any(|at| self.cleans(at.command)) {
            return;
        }
        let span = install.command.span;
        if let Some(reason) = self.decline(cx, &place, script, &commands) {
            out.decline(span, reason);
            return;
        }
        let sudo = install.command.words.first();
        let sudo = sudo.is_some_and(|word| word.text == "sudo");
        let clean = match sudo {
            true => format!("sudo {}", self.clean),
            false => self.clean.clone(),
        };
        let edit = append_command(step.instruction, script, cx.text, &clean);
        let title = "delete the package lists in the same step";
        let mut fix = edit.and_then(|edit| cx.fix(title, vec![edit]));
        let mut message = "the package lists stay in the layer".to_owned();
        if let (Some(fix), Some(Later::Script(args))) = (&mut fix, place.later) {
            // A script that nobody read here may install without an update of its own.
            fix.applicability = fix.applicability.min(Applicability::Unsafe);
            let script = shortened(&cx.shown(args));
            message.push_str(&format!("; `{script}`, which follows, may need them"));
        }
        out.report(span, message, fix);
    }

    fn decline(
        &self,
        cx: &PassContext<'_>,
        place: &Place<'_>,
        script: &Script,
        commands: &[CommandAt<'_>],
    ) -> Option<String> {
        let step = &place.stage.steps[place.at];
        if !place.stage.ships {
            return Some("this stage does not ship".to_owned());
        }
        if self.indexes.iter().any(|index| step.mounts_over(index)) {
            return Some("a mount of the step covers the lists".to_owned());
        }
        if !commands.iter().any(|at| is_any(at.command, &self.update)) {
            return Some(
                "the lists were fetched by an earlier step: deleting them here saves nothing"
                    .to_owned(),
            );
        }
        let made = |at: &&CommandAt<'_>| {
            is_any(at.command, &self.install) || is_any(at.command, &self.update)
        };
        let made: Vec<_> = commands.iter().filter(made).copied().collect();
        if let Some(reason) = ending::obstacle(step, script, &made) {
            return Some(reason.to_owned());
        }
        let next = place.stage.steps.get(place.at + 1);
        if next.is_some_and(|step| self.only_cleans(step)) {
            return Some("the next step deletes the lists: the two should be one".to_owned());
        }
        let Later::Reads(args) = place.later? else {
            return None;
        };
        let reader = shortened(&cx.shown(args));
        let reason = format!("`{reader}`, which follows, installs without an update of its own");
        Some(reason)
    }

    fn cleans(&self, command: &Command) -> bool {
        let deletes = matches!(command::name(command), Some("rm" | "find"));
        let cleaned = |text: &str| {
            let brace = text.starts_with("/var/lib/{") && text.contains("apt");
            brace
                || text.starts_with("/var/lib/apt/lists")
                || self.cleaned.iter().any(|one| one == text)
        };
        let distclean = command.words.iter().any(|word| word.text == "distclean");
        distclean || deletes && command.words.iter().any(|word| cleaned(&word.text))
    }

    fn only_cleans(&self, step: &Step<'_>) -> bool {
        let Some(script) = step.script() else {
            return false;
        };
        let first = script.top_commands().next();
        first.is_some_and(|(_, command)| self.cleans(command))
    }

    /// Whether an instruction whose commands are not known may install from the lists.
    fn may_read_unseen(&self, step: &Step<'_>) -> bool {
        use Keyword::{Cmd, Entrypoint, Onbuild, Run};
        let unseen = [Run, Onbuild, Cmd, Entrypoint].contains(&step.instruction.keyword);
        let text = String::from_utf8_lossy(step.instruction.args_text());
        let fresh = text
            .split("install")
            .next()
            .is_some_and(|head| head.contains("apt-get update"));
        unseen && text.contains("apt") && !fresh
    }
}

/// Programs that install packages, or look into the lists.
const READERS: [&str; 7] = [
    "apt-cache",
    "apt-file",
    "gdebi",
    "mk-build-deps",
    "tasksel",
    "apt-build",
    "dpkg-reconfigure-apt",
];

/// Whether a command, or one that it runs (`xargs apt-get install`, `sh -c "apt-get install"`), reads the lists.
fn reads_lists(command: &Command) -> bool {
    let words: Vec<&str> = command
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    if command::name(command).is_some_and(|name| READERS.contains(&name)) {
        return true;
    }
    let is_apt = |text: &&str| {
        ["apt-get", "apt", "aptitude"].contains(&text.rsplit('/').next().unwrap_or(text))
    };
    let acts = |text: &&str| {
        let harmless = [
            "update",
            "clean",
            "autoclean",
            "autoremove",
            "remove",
            "purge",
            "distclean",
        ];
        !text.starts_with('-') && !harmless.contains(text)
    };
    let Some(apt) = words.iter().position(is_apt) else {
        let inside = |text: &&str| text.contains("apt-get ") || text.contains("apt install");
        return words
            .iter()
            .any(|text| inside(text) && !text.contains("update"));
    };
    words[apt + 1..]
        .iter()
        .find(|text| !text.starts_with('-'))
        .is_some_and(acts)
}
