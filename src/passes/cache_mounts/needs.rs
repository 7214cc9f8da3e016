//! Who else needs what a mount takes out of the image: later steps, stages that copy from this one, the image when it runs.

use super::data::{CacheMounts, Needs};
use crate::context::path::is_at_or_below;
use crate::model::managers::{self, Manager, invocation};
use crate::model::mount::Mount;
use crate::pass::PassContext;
use crate::pass::cache_paths::{self as paths, Lies, lies};
use crate::pass::command;
use crate::pass::runs::Step;
use crate::pass::sites::{Site, Sites};
use crate::syntax::shell::Command;
use crate::syntax::{Args, Instruction, Keyword};

/// The steps of one family of stages whose caches of one manager are mounted, or are already.
pub(super) struct Family<'a> {
    pub(super) rule: &'a CacheMounts,
    pub(super) root: usize,
    pub(super) manager: &'static Manager,
    pub(super) needs: &'a Needs,
    /// Numbers of steps of the file, ascending.
    pub(super) mounted: Vec<usize>,
    pub(super) targets: Vec<String>,
    /// Whether a later command may rely on an index that a step leaves today.
    pub(super) leaves_index: bool,
}

/// So many folders are told apart.
const MOST_TARGETS: usize = 8;

impl Family<'_> {
    /// Why the mounts would take something away.
    pub(super) fn in_the_way(&self, cx: &PassContext<'_>, sites: &Sites<'_>) -> Option<String> {
        let first = *self.mounted.first()?;
        if self.targets.len() > MOST_TARGETS {
            return Some("the folder of the cache changes from step to step".to_owned());
        }
        let (own, takers) = sites.families.get(self.root)?;
        let mut takers = takers.iter().filter_map(|index| sites.all.get(*index));
        if let Some(reason) = takers.find_map(|site| self.taken(site.step)) {
            return Some(reason);
        }
        let mut steps = own
            .iter()
            .filter_map(|index| Some((*index, sites.all.get(*index)?)));
        let found = steps.find_map(|(index, site)| {
            let mounted = self.mounted.binary_search(&index).is_ok();
            self.step(site.step, index > first, mounted)
        });
        let own = own.iter().filter_map(|index| sites.all.get(*index));
        found
            .or_else(|| self.published(sites))
            .or_else(|| self.launched(cx, sites, own))
    }

    /// What a step puts into the cache for a later one is lost where the first comes from the build cache, and the
    /// mount is empty.
    fn published(&self, sites: &Sites<'_>) -> Option<String> {
        let (_, earlier) = self.mounted.split_last()?;
        let mut steps = earlier
            .iter()
            .filter_map(|index| sites.all.get(*index)?.step.script());
        steps.find_map(|script| {
            script.commands().into_iter().find_map(|at| {
                let one = invocation(&at.command.words)?;
                let ours = one.manager.name == self.manager.name;
                let mut words = one.subcommand_name.split(' ').filter(|_| ours);
                let goal = words.find(|word| self.needs.publishes.iter().any(|one| one == word))?;
                Some(format!(
                    "`{goal}` leaves in the cache what a later step may need"
                ))
            })
        })
    }

    /// What one step of the family needs.
    fn step(&self, step: &Step<'_>, later: bool, mounted: bool) -> Option<String> {
        let instruction = step.instruction;
        match instruction.keyword {
            Keyword::Run => self.run(step, later, mounted),
            Keyword::Onbuild if self.needs.in_place => {
                Some("a trigger of ONBUILD may need what the mount hides".to_owned())
            }
            Keyword::Copy | Keyword::Add => self.copied_over(step),
            Keyword::Env | Keyword::Arg => None,
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Onbuild if self.leaves_index => {
                let named = self.is_named(&text_of(instruction));
                named.then(|| format!("{} may install from the index", instruction.keyword))
            }
            _ => self
                .mentions(step)
                .then(|| format!("{} names `{}`", instruction.keyword, self.target())),
        }
    }

    fn run(&self, step: &Step<'_>, later: bool, mounted: bool) -> Option<String> {
        let Some(script) = step.script() else {
            let text = text_of(step.instruction);
            let may = later && self.needs.in_place || self.is_named(&text) || self.mentions(step);
            return may
                .then(|| "a step that cannot be read may need what the mount hides".to_owned());
        };
        let offline = |command: &Command| {
            let one = invocation(&command.words)?;
            let ours = one.manager.name == self.manager.name;
            let mut flags = one.flags.iter().filter(|_| ours);
            flags
                .find(|flag| self.needs.offline.contains(&flag.name))
                .map(|flag| flag.name.clone())
        };
        let commands = script.commands();
        if let Some(flag) = commands.iter().find_map(|at| offline(at.command)) {
            return Some(format!(
                "`{flag}` needs what an earlier step left in the cache"
            ));
        }
        if mounted {
            return None;
        }
        let mut commands = commands.iter().map(|at| at.command);
        commands.find_map(|command| self.unmounted(step, command, later))
    }

    /// What a command of a step without the mounts needs.
    fn unmounted(&self, step: &Step<'_>, command: &Command, later: bool) -> Option<String> {
        let name = command::name(command);
        let shown = || {
            let word = command.words.first();
            word.map_or_else(String::new, |word| word.text.clone())
        };
        if name != Some("rm") && self.names_target(step, command) {
            return Some(format!(
                "`{}` in another step works on `{}`",
                shown(),
                self.target()
            ));
        }
        let other = match invocation(&command.words) {
            Some(one) => {
                one.manager.name != self.manager.name
                    || self.needs.without_cache.contains(&one.subcommand_name)
                    || one.subcommand.is_empty()
            }
            None => false,
        };
        if !later || other || command.words.is_empty() {
            return None;
        }
        let harmless = name.is_some_and(|name| self.rule.harmless.iter().any(|one| one == name));
        if self.needs.in_place && !harmless {
            return Some(format!(
                "`{}`, which follows, may need what the mount hides",
                shown()
            ));
        }
        let reads = self.leaves_index && self.may_read(command);
        reads.then(|| format!("`{}`, which follows, may install from the index", shown()))
    }

    /// Whether a command may install from an index that it does not fetch.
    fn may_read(&self, command: &Command) -> bool {
        let Some(name) = command::name(command) else {
            return true;
        };
        let updates = self.manager.commands.iter().any(|one| one == name);
        let is_shell = matches!(
            name,
            "sh" | "bash" | "dash" | "ash" | "zsh" | "source" | "."
        );
        let mut arguments = command.words.iter().skip(1).map(|word| word.text.as_str());
        name.ends_with(".sh")
            || is_shell && arguments.any(|word| !word.starts_with('-'))
            || self.needs.readers.iter().any(|one| one == name)
            || !updates
                && command
                    .words
                    .iter()
                    .skip(1)
                    .any(|word| word.text.contains(' ') && self.is_named(&word.text))
            || name == "xargs" && command.words.iter().any(|word| self.is_named(&word.text))
    }

    /// Whether a text has a command of the manager among its words.
    fn is_named(&self, text: &str) -> bool {
        let is_part = |ch: char| ch.is_alphanumeric() || matches!(ch, '-' | '_' | '.');
        let mut words = text.split(|ch| !is_part(ch));
        words.any(|word| {
            managers::by_command(word).is_some_and(|found| found.name == self.manager.name)
        })
    }

    fn target(&self) -> &str {
        self.targets.first().map_or("", String::as_str)
    }

    fn mentions(&self, step: &Step<'_>) -> bool {
        self.names(step, &text_of(step.instruction))
    }

    fn names_target(&self, step: &Step<'_>, command: &Command) -> bool {
        let redirects = command.redirects.iter().map(|one| &one.target);
        let mut words = command
            .words
            .iter()
            .chain(redirects)
            .chain(&command.assignments);
        words.any(|word| self.names(step, &word.text))
    }

    fn names(&self, step: &Step<'_>, text: &str) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|target| {
            paths::names(
                text,
                &paths::spellings(target, &self.needs.caches, step.before),
            )
        })
    }

    /// A COPY into the cache, or of a folder around it.
    fn copied_over(&self, step: &Step<'_>) -> Option<String> {
        let words = step.instruction.words();
        let (to, sources) = words.split_last()?;
        let to = step.before.expand(&to.text, b'\\').ok()?;
        let to = step.before.absolute(&to)?;
        let is_file = |name: &str| {
            let last = name.rsplit('/').next().unwrap_or(name);
            last.trim_start_matches('.').contains('.') && !last.contains('*')
        };
        let files = sources.iter().all(|word| is_file(&word.text));
        let hits = |target: &String| {
            let parent = target.rsplit_once('/').map_or("", |(parent, _)| parent);
            is_at_or_below(&to, target) || self.needs.in_place && !files && to == parent
        };
        let hidden = self.targets.iter().find(|target| hits(target))?;
        Some(format!(
            "{} puts files into `{hidden}`",
            step.instruction.keyword
        ))
    }

    /// Whether a step takes the cache from a stage of the family.
    fn taken(&self, step: &Step<'_>) -> Option<String> {
        let instruction = step.instruction;
        let mut paths: Vec<Option<String>> = Vec::new();
        let expand = |word: &str| step.before.expand(word, b'\\');
        match instruction.keyword {
            Keyword::Copy | Keyword::Add => {
                let words = instruction
                    .words()
                    .split_last()
                    .map_or(&[][..], |(_, sources)| sources);
                paths.extend(words.iter().map(|word| expand(&word.text).ok()));
            }
            _ => {
                let flags = instruction.flags.iter().filter(|flag| flag.name == "mount");
                let mounts =
                    flags.filter_map(|flag| Mount::parse(flag.value.as_deref()?, &expand).ok());
                let from = mounts.filter(|mount| mount.from.is_some());
                paths
                    .extend(from.map(|mount| Some(mount.source.unwrap_or_else(|| "/".to_owned()))));
            }
        }
        let takes = |path: Option<String>| {
            let Some(path) = path else { return true };
            let path = path.trim_end_matches('/');
            let roomy =
                !self.needs.in_place && path.trim_start_matches('/').matches('/').count() == 0;
            self.targets.iter().any(|target| match lies(path, target) {
                Lies::Inside => true,
                Lies::Around => !roomy,
                Lies::Apart => false,
            })
        };
        paths
            .into_iter()
            .any(takes)
            .then(|| format!("{} takes files from the cache", instruction.keyword))
    }

    /// Whether the image, when it runs, may need the cache.
    fn launched<'s>(
        &self,
        cx: &PassContext<'_>,
        sites: &Sites<'_>,
        own: impl Iterator<Item = &'s Site<'s>>,
    ) -> Option<String> {
        let is_run = |stage: usize| {
            let stage = cx.stages.get(stage);
            stage.is_some_and(|stage| stage.model.ships || !stage.model.used)
        };
        let mut stages = sites.roots.iter().enumerate();
        if !self.needs.in_place || !stages.any(|(stage, root)| *root == self.root && is_run(stage))
        {
            return None;
        }
        let launches = own.filter(|site| {
            let keyword = site.step.instruction.keyword;
            is_run(site.stage) && matches!(keyword, Keyword::Cmd | Keyword::Entrypoint)
        });
        let mut launches = launches.map(|site| site.step.instruction).peekable();
        if launches.peek().is_none() {
            return Some("the image may be one to build in: it has no CMD of its own".to_owned());
        }
        let bad = launches.find(|instruction| !self.is_plain_program(instruction))?;
        Some(format!("{} may need what the mount hides", bad.keyword))
    }

    /// Whether CMD or ENTRYPOINT runs a program that was built, or arguments of one.
    fn is_plain_program(&self, instruction: &Instruction) -> bool {
        let words: Vec<String> = match &instruction.args {
            Args::Exec(words) => words.iter().map(|word| word.text.clone()).collect(),
            _ => text_of(instruction)
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        };
        let Some(program) = words.first() else {
            return true;
        };
        let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
        let name = base(program);
        let is_shell = matches!(
            name.as_str(),
            "sh" | "bash" | "dash" | "ash" | "zsh" | "env"
        );
        let is_manager = words
            .iter()
            .any(|word| managers::by_command(&base(word)).is_some());
        let known = self.needs.launchers.contains(&name) || program.contains('/');
        let mentions = words.iter().any(|word| {
            self.targets
                .iter()
                .any(|target| word.contains(target.as_str()))
        });
        known
            && !is_shell
            && !is_manager
            && !mentions
            && !words.iter().any(|word| word.ends_with(".sh"))
    }
}

fn text_of(instruction: &Instruction) -> String {
    String::from_utf8_lossy(instruction.args_text()).into_owned()
}
