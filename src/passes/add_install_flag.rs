//! Adds the flag that keeps a package manager from filling its cache.

use serde::Deserialize;

use crate::pass::command;
use crate::pass::runs::{Stage, Step};
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, CommandAt, Script};
use crate::text::Edit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddInstallFlag {
    manager: Vec<Manager>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manager {
    /// The leading words of the commands that fill the cache.
    commands: Vec<Vec<String>>,
    /// The flag, with its value if it has one.
    flag: String,
    /// Flags that say the same, or are a choice.
    respected: Vec<String>,
    /// Variables that say the same, or are a choice.
    environment: Vec<String>,
    /// Where the cache is; `~` is the home of the step's user.
    caches: Vec<String>,
    /// Commands that read the cache.
    readers: Vec<Vec<String>>,
    /// Releases whose own package of the manager does not know the flag.
    #[serde(default)]
    unsupported: Vec<String>,
    /// The distribution's packages of the manager: of a base that is not known, they may be too old as well.
    #[serde(default)]
    packages: Vec<String>,
    /// The image family that brings a manager of its own.
    #[serde(default)]
    own_image: Option<String>,
}

impl Pass for AddInstallFlag {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for manager in &self.manager {
            // What is set at the end of each stage so far, for those that are built on it.
            let mut ends: Vec<Option<String>> = Vec::new();
            for stage in cx.stages {
                let base = stage.base.and_then(|base| ends[base].clone());
                ends.push(manager.stage(cx, stage, base, out));
            }
        }
    }
}

/// What decides about the commands of one step.
struct Around<'a> {
    ships: bool,
    /// Whether the manager is installed as a package of the distribution.
    packaged: bool,
    step: &'a Step<'a>,
    /// The variable of the environment that decides about the cache.
    set: Option<&'a str>,
    /// Whether a later step reads the cache.
    is_read: bool,
}

impl Manager {
    /// Looks at one stage, where `set` decides at its start; the variable that decides at its end.
    fn stage(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        mut set: Option<String>,
        out: &mut Findings,
    ) -> Option<String> {
        let mut packaged = false;
        let last_reader = stage.steps.iter().rposition(|step| self.reads(step));
        for (at, step) in stage.steps.iter().enumerate() {
            let sets = |name: &&String| sets_variable(step, name);
            set = set.or_else(|| self.environment.iter().find(sets).cloned());
            let Some(script) = step.script() else {
                continue;
            };
            packaged |= self.is_packaged(script);
            let around = Around {
                ships: stage.ships,
                packaged,
                step,
                set: set.as_deref(),
                is_read: last_reader.is_some_and(|last| last > at),
            };
            for found in script.commands() {
                self.look(cx, &around, script, found, out);
            }
        }
        set
    }

    fn is_packaged(&self, script: &Script) -> bool {
        let commands = script.commands();
        let mut words = commands.iter().flat_map(|at| &at.command.words);
        words.any(|word| self.packages.contains(&word.text))
    }

    fn reads(&self, step: &Step<'_>) -> bool {
        let commands = step.script().map(Script::commands).unwrap_or_default();
        commands
            .iter()
            .any(|at| command::is_any(at.command, &self.readers))
    }

    fn look(
        &self,
        cx: &PassContext<'_>,
        around: &Around<'_>,
        script: &Script,
        found: CommandAt<'_>,
        out: &mut Findings,
    ) {
        let command = found.command;
        let leading = self.commands.iter();
        let Some(last) = leading
            .filter_map(|words| command::leading_words(command, words))
            .next()
        else {
            return;
        };
        let respected = |flag: &String| command::has_flag(command, flag);
        if self.respected.iter().any(respected) || self.is_emptied(script, found.top) {
            return;
        }
        let exported = self.exported(script, found.top);
        let exported = exported.map(|name| format!("`{name}` is set"));
        match exported.or_else(|| self.decline(cx, around, command)) {
            Some(reason) => out.decline(command.span, reason),
            None => {
                let words: Vec<&str> = command.words[..=last]
                    .iter()
                    .map(|word| &*word.text)
                    .collect();
                let name = words.join(" ");
                let edit = Edit::insert(command.words[last].span.end, format!(" {}", self.flag));
                let fix = cx.fix(format!("add `{}`", self.flag), vec![edit]);
                out.report(
                    command.span,
                    format!("`{name}` keeps its cache in the layer"),
                    fix,
                );
            }
        }
    }

    /// Whether a later command of the same step deletes the cache.
    fn is_emptied(&self, script: &Script, after: usize) -> bool {
        let later = script.commands().into_iter().filter(|at| at.top > after);
        later.into_iter().any(|at| {
            let deletes = matches!(command::name(at.command), Some("rm" | "find"));
            let words = at.command.words.iter();
            let names_cache = |text: &str| text.contains("/.cache") || text.contains("/root/.*");
            let purges = command::is_any(at.command, &self.readers);
            purges || deletes && words.into_iter().any(|word| names_cache(&word.text))
        })
    }

    /// The variable that decides about the cache, where the script exports one before statement `before`.
    fn exported(&self, script: &Script, before: usize) -> Option<&str> {
        let earlier = script.top_commands().take_while(|(at, _)| *at < before);
        let exports = earlier.filter(|(_, command)| command::name(command) == Some("export"));
        let mut words = exports.flat_map(|(_, command)| &command.words);
        words.find_map(|word| {
            let (name, _) = word.text.split_once('=')?;
            let known = self.environment.iter().find(|one| *one == name);
            known.map(String::as_str)
        })
    }

    fn decline(
        &self,
        cx: &PassContext<'_>,
        around: &Around<'_>,
        command: &Command,
    ) -> Option<String> {
        if !around.ships {
            return Some("this stage does not ship".to_owned());
        }
        let before = around.step.before;
        let own = self.own_image.as_deref();
        let own = own.is_some_and(|family| before.base().is_family(family));
        let old = cx.old_release(before, &self.unsupported);
        if let Some(release) = old.filter(|_| !own) {
            return Some(format!(
                "the package of {release} may not know `{}`",
                self.flag
            ));
        }
        if around.packaged && before.distribution().is_none() {
            return Some("which release the base image is of is not known".to_owned());
        }
        let in_command = |name: &&String| {
            let mut words = command.assignments.iter().chain(&command.words);
            words.any(|word| {
                word.text
                    .split_once('=')
                    .is_some_and(|(key, _)| key == *name)
            })
        };
        let here = self.environment.iter().find(in_command);
        if let Some(name) = here.map(String::as_str).or(around.set) {
            return Some(format!("`{name}` is set"));
        }
        let mounted = self
            .caches
            .iter()
            .any(|cache| is_mounted(around.step, cache));
        if mounted {
            return Some("a mount of the step covers the cache".to_owned());
        }
        around
            .is_read
            .then(|| "a later step reads the cache".to_owned())
    }
}

fn sets_variable(step: &Step<'_>, name: &str) -> bool {
    let instruction = step.instruction;
    match instruction.keyword {
        Keyword::Env => instruction.pairs().iter().any(|pair| pair.key.text == name),
        Keyword::Arg => instruction
            .words()
            .iter()
            .any(|word| word.text.split('=').next() == Some(name)),
        _ => false,
    }
}

/// Whether a mount covers `cache`, whoever's home `~` is.
fn is_mounted(step: &Step<'_>, cache: &str) -> bool {
    let Some(below_home) = cache.strip_prefix('~') else {
        return step.mounts_over(cache);
    };
    let homes = step.instruction.flags.iter().any(|flag| {
        let value = flag.value.as_deref().unwrap_or_default();
        let parents = below_home
            .match_indices('/')
            .skip(1)
            .map(|(at, _)| &below_home[..at]);
        parents.chain([below_home]).any(|path| value.contains(path))
    });
    homes || step.mounts_over(&format!("/root{below_home}"))
}
