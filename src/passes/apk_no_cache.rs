//! `apk add --no-cache`: the index is fetched into memory, so `apk update` and the removal of its cache go.

use serde::Deserialize;

use crate::pass::command::{self, has_flag, is_any, leading_words};
use crate::pass::list::remove_statement;
use crate::pass::runs::{Stage, Step};
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::Instruction;
use crate::syntax::shell::{Command, Operator, Script, Statement, Word};
use crate::text::{Edit, Span, contains};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApkNoCache {
    /// The leading words of the commands that fetch the index.
    install: Vec<Vec<String>>,
    /// The flag that is added.
    flag: String,
    /// Flags that fetch the index and keep it: the flag takes their place.
    replaces: Vec<String>,
    /// Commands of the same step that have nothing left to do.
    redundant: Vec<Vec<String>>,
    /// Where an index or a cache may be kept on purpose.
    caches: Vec<String>,
    /// Releases whose apk does not know the flag.
    unsupported: Vec<String>,
}

impl Pass for ApkNoCache {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            let decline = decline(cx, stage);
            for step in &stage.steps {
                if let Some(script) = step.script() {
                    self.look(cx, decline, step, script, out);
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        command::names(self.install.iter().chain(&self.redundant))
    }
}

impl ApkNoCache {
    fn look(
        &self,
        cx: &PassContext<'_>,
        decline: Option<&str>,
        step: &Step<'_>,
        script: &Script,
        out: &mut Findings,
    ) {
        let commands = script.commands();
        let installs: Vec<&Command> = commands
            .iter()
            .map(|at| at.command)
            .filter(|command| is_any(command, &self.install))
            .collect();
        let keeps = |command: &&&Command| !has_flag(command, &self.flag);
        let removals = match commands.iter().any(|at| self.may_need_index(at.command)) {
            true => Vec::new(),
            false => self.removals(step.instruction, script, cx.text),
        };
        let Some(first) = installs.iter().find(keeps).or(match removals.is_empty() {
            true => None,
            false => installs.first(),
        }) else {
            return;
        };
        if let Some(release) = cx.old_release(step.before, &self.unsupported) {
            let reason = format!("apk of {release} does not know `{}`", self.flag);
            out.decline(first.span, reason);
            return;
        }
        let mounted = self.caches.iter().any(|cache| step.mounts_over(cache));
        let mounted = mounted.then_some("a mount of the step covers the cache");
        if let Some(reason) = decline.or(mounted) {
            out.decline(first.span, reason);
            return;
        }
        let added = installs.iter().filter(keeps);
        let mut edits: Vec<Edit> = added.filter_map(|install| self.add_flag(install)).collect();
        let title = match edits.is_empty() {
            true => "leave out what has nothing left to do".to_owned(),
            false => format!("add `{}`", self.flag),
        };
        edits.extend(removals);
        let message = "`apk` leaves the package index in the layer";
        out.report(first.span, message, cx.fix(title, edits));
    }

    /// The edit that gives a command the flag.
    fn add_flag(&self, command: &Command) -> Option<Edit> {
        let replaced = |word: &&Word| self.replaces.contains(&word.text);
        if let Some(word) = command.words.iter().find(replaced) {
            return Some(Edit::replace(word.span, self.flag.as_bytes()));
        }
        let mut leading = self.install.iter();
        let last = leading.find_map(|words| leading_words(command, words))?;
        let at = command.words.get(last)?.span.end;
        Some(Edit::insert(at, format!(" {}", self.flag)))
    }

    /// Whether a command may install from the index that `apk update` left. Says yes where it cannot tell.
    fn may_need_index(&self, command: &Command) -> bool {
        match command::name(command) {
            Some("apk") => {
                let add = is_any(command, &self.install);
                let del = leading_words(command, &["apk", "del"]).is_some();
                !add && !del && !has_flag(command, &self.flag) && !self.is_redundant(command)
            }
            // `xargs apk add`, `sh -c "apk add …"`
            Some(name) => !PRINTERS.contains(&name) && command.words.iter().any(names_apk),
            // `$APK add`; a command of assignments only has no name.
            None => {
                let name = command.words.first();
                name.is_some_and(|word| word.literal.is_none() && word.text != "[")
            }
        }
    }

    fn is_redundant(&self, command: &Command) -> bool {
        let words: Option<Vec<&str>> = command.words.iter().map(|word| Some(&*word.text)).collect();
        let plain = command.assignments.is_empty() && command.redirects.is_empty();
        plain && words.is_some_and(|words| self.redundant.iter().any(|one| *one == words))
    }

    /// The edits that take out what has nothing left to do: as many as can go one by one.
    fn removals(&self, instruction: &Instruction, script: &Script, text: &[u8]) -> Vec<Edit> {
        let count = script.statements.len();
        let mut gone = 0;
        let redundant = script.top_commands().filter(|(index, one)| {
            self.is_redundant(one) && !decides(&script.statements[*index..])
        });
        let mut edits: Vec<Edit> = Vec::new();
        for (index, _) in redundant {
            let Some(removal) = remove_statement(instruction, script, index, text) else {
                continue;
            };
            let start = removal.first().map(|edit| edit.span.start);
            let apart = edits.last().is_none_or(|last| Some(last.span.end) <= start);
            if apart && gone + 1 < count {
                edits.extend(removal);
                gone += 1;
            }
        }
        edits
    }
}

/// Whether something runs where the first of the statements fails: `! apk update && …`, `rm … && … || …`.
fn decides(statements: &[Statement]) -> bool {
    let operators = statements
        .iter()
        .map(|one| one.operator.map(|(operator, _)| operator));
    let mut list = operators.take_while(|one| matches!(one, Some(Operator::And | Operator::Or)));
    let is_negated = statements.first().is_some_and(|one| one.negated);
    is_negated || list.any(|one| one == Some(Operator::Or))
}

/// Commands that run none of their arguments.
const PRINTERS: [&str; 4] = ["echo", "printf", "rm", "ln"];

/// Whether a word is `apk`, or has it among the words of a script.
fn names_apk(word: &Word) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    let mut words = word.text.split(|c| !is_part(c));
    words.any(|one| one == "apk" || one.ends_with("/apk"))
}

/// Why the index of a whole stage must stay.
fn decline(cx: &PassContext<'_>, stage: &Stage<'_>) -> Option<&'static str> {
    if !stage.ships {
        return Some("this stage does not ship");
    }
    let sets_up_cache = |step: &Step<'_>| {
        let instruction = step.instruction;
        // Without the flags: a mount of one step sets up nothing for another.
        let end = instruction.span.end;
        let text = Span::new(instruction.args_span.start.min(end), end).of(cx.text);
        contains(text, b"/etc/apk/cache")
    };
    if stage.steps.iter().any(sets_up_cache) {
        return Some("`/etc/apk/cache` is set up to keep packages");
    }
    let opaque = |step: &Step<'_>| {
        let unreadable = step.opaque().is_some();
        unreadable && contains(step.instruction.args_text(), b"apk")
    };
    let unseen = stage.steps.iter().any(opaque);
    unseen.then_some("another step calls apk in a way that cannot be read")
}
