//! What changes in the script of a step whose caches are mounted: what switches a cache off or empties it goes, and what
//! a manager needs to fill it comes. Where something cannot go, the whole step is left alone.

use super::data::{CacheMounts, Needs};
use crate::model::managers::{Invocation, Manager, Role, invocation};
use crate::pass::cache_folder::CacheMount;
use crate::pass::cache_paths::{self as paths, Assigned, Lies, lies, path_of};
use crate::pass::command;
use crate::pass::layout::Layout;
use crate::pass::list::remove_statement;
use crate::pass::runs::Step;
use crate::syntax::shell::{Command, CommandAt, Inside, Operator, Script, Word};
use crate::text::{Edit, Span};

/// A manager whose caches are mounted in a step.
pub(super) struct Mounted<'a> {
    pub(super) manager: &'static Manager,
    pub(super) needs: &'a Needs,
    pub(super) mounts: Vec<CacheMount>,
}

/// Why the lists of a manager are not fetched by the step that installs from them; `None` where they are, or where it
/// makes no difference.
pub(super) fn without_update(needs: &Needs, manager: &Manager, script: &Script) -> Option<String> {
    if !needs.update_first {
        return None;
    }
    let mut updated = false;
    for at in script.commands() {
        let Some(one) = invocation(&at.command.words).filter(|one| is_of(one, manager)) else {
            continue;
        };
        let reads = matches!(one.role, Role::Install | Role::Upgrade);
        if !reads && one.role != Role::UpdateIndex {
            continue;
        }
        if matches!(at.inside, Some(Inside::Compound(_) | Inside::Substitution)) {
            return Some("the install is inside an `if`, a loop or a subshell".to_owned());
        }
        if reads && !updated {
            let reason =
                "the step installs without an update of its own: the mounted lists may be empty";
            return Some(reason.to_owned());
        }
        updated = true;
    }
    None
}

/// The edits of a script.
///
/// # Errors
/// What cannot be changed.
pub(super) fn edits(
    rule: &CacheMounts,
    text: &[u8],
    step: &Step<'_>,
    script: &Script,
    mounted: &[Mounted<'_>],
) -> Result<Vec<Edit>, String> {
    let mut rewriting = Rewriting {
        rule,
        text,
        step,
        script,
        mounted,
        assigned: Assigned::of(script),
        edits: Vec::new(),
        directory: step.before.workdir().map(str::to_owned),
        moved: false,
        fetched: false,
    };
    for at in script.commands() {
        rewriting.command(at)?;
    }
    for one in mounted {
        if let Some(undo) = &one.needs.undo {
            rewriting.undo(one.manager, undo)?;
        }
    }
    let in_heredoc = !step.instruction.heredocs.is_empty();
    match in_heredoc && !rewriting.edits.is_empty() {
        true => Err(
            "the script is a here-document, and something in it would have to change".to_owned(),
        ),
        false => Ok(rewriting.edits),
    }
}

struct Rewriting<'a> {
    rule: &'a CacheMounts,
    text: &'a [u8],
    step: &'a Step<'a>,
    script: &'a Script,
    mounted: &'a [Mounted<'a>],
    assigned: Assigned,
    edits: Vec<Edit>,
    /// Where the next command runs.
    directory: Option<String>,
    /// Whether that is not where the step starts.
    moved: bool,
    /// Whether a command fetched the index of the manager that needs one.
    fetched: bool,
}

impl Rewriting<'_> {
    fn command(&mut self, at: CommandAt<'_>) -> Result<(), String> {
        let command = at.command;
        self.check_variables(command)?;
        let name = command::name(command);
        if name == Some("rm") {
            return self.remove(at);
        }
        self.check_mentions(command)?;
        if matches!(name, Some("cd" | "pushd" | "popd")) {
            self.change_directory(at);
        }
        let Some(one) = invocation(&command.words) else {
            return Ok(());
        };
        let mut mounted = self.mounted.iter();
        let Some(Mounted { manager, needs, .. }) =
            mounted.find(|mounted| is_of(&one, mounted.manager))
        else {
            return Ok(());
        };
        let clean = one.role == Role::Clean || is_clean(&one, command, manager);
        if clean {
            return self.remove_statement(at);
        }
        match one.role {
            Role::UpdateIndex => self.fetched |= at.inside.is_none() && !one.keeps_no_cache(),
            _ if needs.fetch.is_empty() => self.drop_flags(&one, command)?,
            Role::Install | Role::Upgrade => self.fetch(&one, at, needs)?,
            _ => {}
        }
        Ok(())
    }

    /// A variable of the shell that moves a cache, or switches it off, is not followed.
    fn check_variables(&self, command: &Command) -> Result<(), String> {
        for word in command.assignments.iter().chain(&command.words) {
            let Some((name, _)) = word.text.split_once('=') else {
                continue;
            };
            let of_manager = |one: &Mounted<'_>| {
                let mut off = one.manager.no_cache_env.iter();
                one.needs.variables().any(|variable| variable == name)
                    || off.any(|variable| variable == name)
            };
            if name == "HOME" || self.mounted.iter().any(of_manager) {
                return Err(format!("the script sets `{name}`"));
            }
        }
        Ok(())
    }

    /// What else a script does with the folder of a cache it would do with the mount.
    fn check_mentions(&self, command: &Command) -> Result<(), String> {
        let redirects = command.redirects.iter().map(|one| &one.target);
        let words = command
            .words
            .iter()
            .chain(redirects)
            .chain(&command.assignments);
        for word in words {
            for (mounted, target) in self.targets() {
                let spellings = paths::spellings(target, &mounted.needs.caches, self.step.before);
                if paths::names(&word.text, &spellings) {
                    let name = command.words.first().map_or("", |word| word.text.as_str());
                    return Err(format!("`{name}` works on `{target}`"));
                }
            }
        }
        Ok(())
    }

    fn targets(&self) -> impl Iterator<Item = (&Mounted<'_>, &str)> {
        self.mounted.iter().flat_map(|one| {
            one.mounts
                .iter()
                .map(move |mount| (one, mount.target.as_str()))
        })
    }

    fn change_directory(&mut self, at: CommandAt<'_>) {
        let state = self.step.before;
        let from = self.directory.as_deref();
        let path = at.command.words.get(1);
        let path = path.and_then(|word| path_of(word, &self.assigned, state, from));
        self.moved = true;
        self.directory = path.filter(|path| at.inside.is_none() && !path.contains('*'));
    }

    /// The flags that switch the cache off.
    fn drop_flags(&mut self, one: &Invocation, command: &Command) -> Result<(), String> {
        for flag in one
            .flags
            .iter()
            .filter(|flag| one.manager.no_cache.contains(&flag.name))
        {
            self.check_flag(&flag.name, flag.word, command)?;
            self.drop_word(command, flag.word)?;
        }
        Ok(())
    }

    fn check_flag(&self, name: &str, word: usize, command: &Command) -> Result<(), String> {
        match command
            .words
            .get(word)
            .is_some_and(|word| word.text == name)
        {
            true => Ok(()),
            false => Err(format!("`{name}` is part of a longer word")),
        }
    }

    fn drop_word(&mut self, command: &Command, word: usize) -> Result<(), String> {
        let before = word
            .checked_sub(1)
            .and_then(|before| command.words.get(before));
        let (Some(before), Some(gone)) = (before, command.words.get(word)) else {
            return Err("the first word of a command cannot go".to_owned());
        };
        let span = Span::new(before.span.end, gone.span.end);
        self.check_comments(span)?;
        self.edits.push(Edit::delete(span));
        Ok(())
    }

    fn check_comments(&self, span: Span) -> Result<(), String> {
        let crosses = |comment: &Span| comment.start < span.end && span.start < comment.end;
        match self.step.instruction.comments.iter().any(crosses) {
            true => Err("a comment stands where something would have to go".to_owned()),
            false => Ok(()),
        }
    }

    /// The index that an install finds in an empty cache.
    fn fetch(&mut self, one: &Invocation, at: CommandAt<'_>, needs: &Needs) -> Result<(), String> {
        let command = at.command;
        let off = one
            .flags
            .iter()
            .find(|flag| one.manager.no_cache.contains(&flag.name));
        let fetches = one
            .flags
            .iter()
            .any(|flag| needs.fetch.contains(&flag.name));
        let wanted = !fetches && !self.fetched;
        let flag = needs.fetch.first().map_or("", String::as_str);
        match (off, wanted) {
            (Some(off), true) => {
                self.check_flag(&off.name, off.word, command)?;
                let span = command.words.get(off.word).map(|word| word.span);
                self.edits
                    .extend(span.map(|span| Edit::replace(span, flag)));
            }
            (Some(_), false) => self.drop_flags(one, command)?,
            (None, true) => {
                let last = one
                    .subcommand
                    .last()
                    .and_then(|last| command.words.get(*last));
                self.edits
                    .extend(last.map(|word| Edit::insert(word.span.end, format!(" {flag}"))));
            }
            (None, false) => {}
        }
        self.fetched |= at.inside.is_none();
        Ok(())
    }

    /// What an `rm` deletes of the caches is left to the mount.
    fn remove(&mut self, at: CommandAt<'_>) -> Result<(), String> {
        let command = at.command;
        let first = command::name_index(command).unwrap_or_default() + 1;
        let arguments = command.words.iter().enumerate().skip(first);
        let arguments = arguments.filter(|(_, word)| !word.text.starts_with('-'));
        let (mut covered, mut others) = (Vec::new(), 0);
        for (index, word) in arguments {
            match self.is_covered(word)? {
                true => covered.push(index),
                false => others += 1,
            }
        }
        match (covered.is_empty(), others) {
            (true, _) => Ok(()),
            (false, 0) => self.remove_statement(at),
            (false, _) => covered
                .into_iter()
                .try_for_each(|word| self.drop_word(command, word)),
        }
    }

    /// Whether a path that is deleted is one of a cache, and of nothing else.
    fn is_covered(&self, word: &Word) -> Result<bool, String> {
        let (text, state) = (&word.text, self.step.before);
        let Some(path) = path_of(word, &self.assigned, state, self.directory.as_deref()) else {
            return match self.may_be_cache(text) {
                true => Err(format!("what `rm` deletes as `{text}` is not known")),
                false => Ok(false),
            };
        };
        let path = path.trim_end_matches('/');
        let home = state.home().map(|home| home.trim_end_matches('/'));
        let is_dot_cache = home.is_some_and(|home| path == format!("{home}/.cache"));
        for (mounted, target) in self.targets() {
            let also = mounted.needs.also_cleaned.iter();
            let has_nothing_left = also.clone().any(|one| lies(path, one) == Lies::Inside);
            match lies(path, target) {
                Lies::Inside => return self.is_seen_by_all(text),
                Lies::Around if is_dot_cache && self.is_plain() => {
                    return self.is_seen_by_all(text);
                }
                Lies::Around if is_dot_cache => {
                    return Err(format!("`{text}` may hold more than what would be mounted"));
                }
                Lies::Around => return Err(format!("`rm` of `{text}` deletes the mount point")),
                Lies::Apart if has_nothing_left => return self.is_seen_by_all(text),
                Lies::Apart => {}
            }
        }
        Ok(false)
    }

    /// A path that another directory or a variable of the script leads to is not taken out.
    fn is_seen_by_all(&self, text: &str) -> Result<bool, String> {
        let is_relative = !text
            .trim_start_matches(['"', '\''])
            .starts_with(['/', '~', '$']);
        match is_relative && self.moved || self.assigned.is_in(text) {
            true => Err(format!("`rm` finds the cache as `{text}`")),
            false => Ok(true),
        }
    }

    /// Whether a path whose beginning is not known may lead to a cache.
    fn may_be_cache(&self, text: &str) -> bool {
        let text = text.trim_start_matches("./");
        let first = text.split('/').next().unwrap_or_default();
        let is_part = |target: &str| target.split('/').any(|part| part == first);
        first.contains(['*', '$', '`', '?', '[', '{', '~'])
            || first.starts_with("..")
            || self.targets().any(|(_, target)| is_part(target))
    }

    /// Whether nothing in the script could write to `~/.cache` but package managers.
    fn is_plain(&self) -> bool {
        let known = |at: &CommandAt<'_>| {
            let name = command::name(at.command);
            invocation(&at.command.words).is_some()
                || name.is_some_and(|name| self.rule.harmless.iter().any(|one| one == name))
        };
        self.script.commands().iter().all(known)
    }

    fn remove_statement(&mut self, at: CommandAt<'_>) -> Result<(), String> {
        let shown = || {
            let words = at.command.words.iter().map(|word| word.text.as_str());
            words.collect::<Vec<_>>().join(" ")
        };
        if at.inside.is_some() {
            return Err(format!(
                "`{}` is inside an `if`, a loop, a pipe or a subshell",
                shown()
            ));
        }
        let edits = remove_statement(self.step.instruction, self.script, at.top, self.text);
        let edits =
            edits.ok_or_else(|| format!("`{}` cannot be taken out of its list", shown()))?;
        self.edits.extend(edits);
        Ok(())
    }

    /// The command that lets a manager fill its cache stands before the manager's first.
    fn undo(&mut self, manager: &Manager, undo: &str) -> Result<(), String> {
        let file = undo.rsplit('/').next().unwrap_or(undo);
        let commands = self.script.commands();
        let is_ours = |at: &&CommandAt<'_>| {
            invocation(&at.command.words).is_some_and(|one| is_of(&one, manager))
        };
        let Some(first) = commands.iter().find(is_ours) else {
            return Ok(());
        };
        let names_file = |at: &&CommandAt<'_>| {
            let mut words = at.command.words.iter();
            words.any(|word| word.text.contains(file))
        };
        match commands.iter().find(names_file) {
            Some(at) if command::name(at.command) == Some("rm") && at.top < first.top => {
                return Ok(());
            }
            Some(_) => return Err(format!("the script changes `{file}`")),
            None => {}
        }
        let sudo = first.command.words.first();
        let undo = match sudo.is_some_and(|word| word.text == "sudo") {
            true => format!("sudo {undo}"),
            false => undo.to_owned(),
        };
        self.insert_before(first.top, &undo)
    }

    fn insert_before(&mut self, index: usize, inserted: &str) -> Result<(), String> {
        let statements = &self.script.statements;
        let Some(statement) = statements.get(index) else {
            return Ok(());
        };
        let before = index
            .checked_sub(1)
            .and_then(|before| statements.get(before));
        let operator = before.map_or(statement.operator, |before| before.operator);
        let list = match operator.map(|(operator, _)| operator) {
            Some(Operator::And) | None => false,
            Some(Operator::Semicolon | Operator::Newline) => true,
            Some(Operator::Or | Operator::Background) if before.is_none() => false,
            Some(_) => {
                return Err(
                    "the install runs in the background, or after a failure only".to_owned(),
                );
            }
        };
        let has_break = |from: u32, to: u32| Span::new(from, to).of(self.text).contains(&b'\n');
        let broken = before.is_some_and(|before| has_break(before.span.end, statement.span.start))
            || statements
                .get(index + 1)
                .is_some_and(|next| has_break(statement.span.end, next.span.start));
        let layout = Layout::of(self.step.instruction, self.script, self.text);
        let starts_line =
            before.is_some_and(|before| has_break(before.span.end, statement.span.start));
        let joint = match (list, broken) {
            (false, true) => layout.break_before_command(),
            (true, _) if starts_line => [b"; \\", layout.line_ending, &layout.indent].concat(),
            (true, _) => b"; ".to_vec(),
            (false, false) => b" && ".to_vec(),
        };
        let insert = [inserted.as_bytes(), &joint].concat();
        self.edits.push(Edit::insert(statement.span.start, insert));
        Ok(())
    }
}

fn is_of(one: &Invocation, manager: &Manager) -> bool {
    one.manager.name == manager.name
}

/// Whether a command is the manager's own way to empty its cache.
fn is_clean(one: &Invocation, command: &Command, manager: &Manager) -> bool {
    let rest = command.words.get(one.command + 1..).unwrap_or_default();
    let words: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
    manager.clean.contains(&words.join(" "))
}
