//! Neighbouring RUN steps become one, where the same commands then run in the same order and the same state.

use serde::Deserialize;

use crate::pass::command::{self, is_any};
use crate::pass::layout::{self, Layout, MAX_COLUMNS};
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::shell::{Command, CompoundKind, Node, Operator, Script, Statement};
use crate::syntax::{Instruction, Item, Keyword};
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "join", rename_all = "lowercase")]
pub(super) enum JoinSteps {
    /// One command of the first is `first` and the others are `beside` them, and one of the second is `second`.
    Pair {
        first: Vec<Vec<String>>,
        /// What may stand beside them in the first.
        beside: Vec<Vec<String>>,
        second: Vec<Vec<String>>,
    },
    /// Every command of the second is a cleanup, and one of them deletes what the first wrote.
    Cleanup { downloads: bool, mess: Vec<Mess> },
}

/// A program that leaves something behind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mess {
    /// Its commands, by name.
    by: Vec<String>,
    /// Commands that clean up after it.
    commands: Vec<Vec<String>>,
    /// Paths whose deletion does.
    paths: Vec<String>,
}

impl Pass for JoinSteps {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            let runs = stage.steps.iter().enumerate();
            for (at, first) in runs.filter(|(_, step)| is_run(step)) {
                let rest = &stage.steps[at + 1..];
                match rest.iter().position(is_run) {
                    Some(0) => self.look(cx, stage, first, &rest[0], out),
                    Some(next) => self.look_apart(first, &rest[..next], &rest[next], out),
                    None => {}
                }
            }
        }
    }
}

fn is_run(step: &Step<'_>) -> bool {
    step.instruction.keyword == Keyword::Run
}

/// What a second step is to the one before it.
enum Wish {
    /// Nothing.
    None,
    /// It belongs into the first.
    Join,
    /// It deletes what the first wrote, and other things.
    DoesMore,
}

impl JoinSteps {
    fn look(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        first: &Step<'_>,
        second: &Step<'_>,
        out: &mut Findings,
    ) {
        let (Some(a), Some(b)) = (first.script(), second.script()) else {
            return;
        };
        let span = shown_span(first.instruction).cover(shown_span(second.instruction));
        match self.wish(a, b) {
            Wish::None => return,
            Wish::Join => {}
            Wish::DoesMore => {
                let reason = "the step does more than delete what the step before it wrote";
                return out.decline(span, reason);
            }
        }
        let cleanup = matches!(self, Self::Cleanup { .. });
        if cleanup && !stage.ships {
            out.decline(span, "this stage does not ship");
            return;
        }
        match join(cx, (first.instruction, a), (second.instruction, b)) {
            Err(reason) => out.decline(span, reason),
            Ok(edits) => {
                let message = match cleanup {
                    true => "the step deletes what the layer before it keeps",
                    false => "the package lists are updated in a step of their own",
                };
                out.report(span, message, cx.fix("join the two steps", edits));
            }
        }
    }

    /// Says what stands between two steps that should be one.
    fn look_apart(
        &self,
        first: &Step<'_>,
        between: &[Step<'_>],
        second: &Step<'_>,
        out: &mut Findings,
    ) {
        let (Some(a), Some(b)) = (first.script(), second.script()) else {
            return;
        };
        if let (Wish::Join, [other, ..]) = (self.wish(a, b), between) {
            let reason = format!("`{}` stands between the steps", other.instruction.keyword);
            let span = shown_span(first.instruction).cover(shown_span(second.instruction));
            out.decline(span, reason);
        }
    }

    fn wish(&self, a: &Script, b: &Script) -> Wish {
        let simple = |script: &Script| script.top_commands().count() == script.statements.len();
        match self {
            Self::Pair {
                first,
                beside,
                second,
            } => {
                let known = |one| is_any(one, first) || is_any(one, beside);
                let updates = a.top_commands().any(|(_, one)| is_any(one, first))
                    && a.top_commands().all(|(_, one)| known(one));
                let commands = b.commands();
                let installs = commands.iter().any(|at| is_any(at.command, second))
                    && !commands.iter().any(|at| is_any(at.command, first));
                match simple(a) && updates && installs {
                    true => Wish::Join,
                    false => Wish::None,
                }
            }
            Self::Cleanup { downloads, mess } => {
                let left: Vec<&Mess> = mess.iter().filter(|one| one.made_by(a)).collect();
                let files = match downloads {
                    true => downloaded(a),
                    false => Vec::new(),
                };
                let mut own = false;
                let mut cleans = simple(b);
                let mut deletes = cleans;
                for (_, command) in b.top_commands() {
                    let kinds = mess.iter().any(|one| one.cleaned_by(command));
                    let ours = left.iter().any(|one| one.cleaned_by(command))
                        || deletes_only(command, |path| files.iter().any(|file| file == path));
                    own |= ours;
                    cleans &= kinds || ours;
                    let name = command::name(command);
                    deletes &= kinds || ours || matches!(name, Some("rm" | "find" | "true"));
                }
                match own && deletes {
                    false => Wish::None,
                    true if cleans => Wish::Join,
                    true => Wish::DoesMore,
                }
            }
        }
    }
}

impl Mess {
    /// Whether a command of the script may have made the mess: one of the programs, and no cleanup itself.
    fn made_by(&self, script: &Script) -> bool {
        let commands = script.commands();
        let mut writers = commands.iter().filter(|at| !self.cleaned_by(at.command));
        writers.any(|at| {
            let name = command::name(at.command).unwrap_or_default();
            let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            self.by.iter().any(|by| by == name || by == plain)
        })
    }

    fn cleaned_by(&self, command: &Command) -> bool {
        is_any(command, &self.commands)
            || deletes_only(command, |path| {
                self.paths.iter().any(|mess| {
                    let path = path
                        .strip_prefix("/root")
                        .map_or(path.to_owned(), |rest| format!("~{rest}"));
                    let root = mess.trim_end_matches("*-old");
                    let root = root
                        .strip_prefix("/root")
                        .map_or(root.to_owned(), |rest| format!("~{rest}"));
                    path.strip_prefix(&root).is_some_and(|rest| {
                        rest.is_empty() || rest.starts_with('/') || root.ends_with('/')
                    })
                })
            })
    }
}

/// Whether the command is an `rm` (or `find … -delete`) of paths that are all `wanted`, and of nothing else.
fn deletes_only(command: &Command, wanted: impl Fn(&str) -> bool) -> bool {
    let name = command::name_index(command);
    let Some(words) = name.and_then(|name| command.words.get(name + 1..)) else {
        return false;
    };
    let plain = command.redirects.is_empty() && command.assignments.is_empty();
    let is_known = |text: &str| !text.contains(['$', '`']) && !text.contains("..") && wanted(text);
    match command::name(command) {
        Some("rm") => {
            let mut paths = words
                .iter()
                .filter(|word| !word.text.starts_with('-'))
                .peekable();
            plain && paths.peek().is_some() && paths.all(|word| is_known(&word.text))
        }
        Some("find") => {
            let delete = words.iter().any(|word| word.text == "-delete");
            let paths: Vec<_> = words
                .iter()
                .take_while(|word| !word.text.starts_with('-'))
                .collect();
            plain && delete && !paths.is_empty() && paths.iter().all(|word| is_known(&word.text))
        }
        _ => false,
    }
}

/// The files that top-level `curl` and `wget` commands of a script write, as they name them.
fn downloaded(script: &Script) -> Vec<String> {
    let commands = script.top_commands();
    commands
        .flat_map(|(_, command)| downloads_of(command))
        .collect()
}

fn downloads_of(command: &Command) -> Vec<String> {
    let words: Vec<&str> = command
        .words
        .iter()
        .filter_map(|word| word.literal.as_deref())
        .collect();
    if words.len() != command.words.len() {
        return Vec::new();
    }
    let target = |flags: &[&str]| {
        let at = words.iter().position(|word| flags.contains(word))?;
        words.get(at + 1).map(|file| (*file).to_owned())
    };
    let from_url = || {
        let urls = words.iter().filter(|word| word.contains("://"));
        urls.filter_map(|url| url.rsplit('/').next())
            .filter(|name| !name.is_empty() && !name.contains(['?', '#']))
            .map(str::to_owned)
            .collect()
    };
    match command::name(command) {
        Some("wget") => match target(&["-O", "--output-document", "-qO", "-nvO"]) {
            Some(file) => vec![file],
            None if words
                .iter()
                .any(|word| word.starts_with("-P") || word.starts_with("--dir")) =>
            {
                Vec::new()
            }
            None => from_url(),
        },
        Some("curl") => match target(&["-o", "--output", "-Lo", "-sLo", "-fsSLo", "-sSLo", "-fLo"])
        {
            Some(file) => vec![file],
            None if words.iter().any(|word| is_remote_name(word)) => from_url(),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether a word of curl has the flag `-O`.
fn is_remote_name(word: &str) -> bool {
    let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    word == "--remote-name" || letters.is_some_and(|letters| letters.contains('O'))
}

/// The edits that append the second step to the first.
fn join(
    cx: &PassContext<'_>,
    (first, a): (&Instruction, &Script),
    (second, b): (&Instruction, &Script),
) -> Result<Vec<Edit>, String> {
    joinable(cx, (first, a), (second, b))?;
    let gap = Span::new(a.span.end, b.span.start);
    let comments = comments_between(cx, first, second)?;
    let layout = Layout::of(first, a, cx.text);
    let inline = b" && ";
    let width = layout::columns_before(a.span.end, cx.text)
        + inline.len()
        + 1
        + layout::columns_after(b.span.start, cx.text);
    if comments.is_empty() && layout.single_line && width <= MAX_COLUMNS {
        return Ok(vec![Edit::replace(gap, inline)]);
    }
    Ok(vec![Edit::replace(
        gap,
        layout.break_with_comments(&comments),
    )])
}

/// The comment lines between two instructions, as they stand.
fn comments_between(
    cx: &PassContext<'_>,
    first: &Instruction,
    second: &Instruction,
) -> Result<Vec<u8>, String> {
    let mut comments = Vec::new();
    let items = &cx.file.items;
    let from = items.partition_point(|item| item.span().start < first.span.end);
    let between = items[from..].iter();
    for item in between.take_while(|item| item.span().start < second.span.start) {
        let Item::Comment(span) = item else {
            continue;
        };
        let text = span.of(cx.text);
        let shown = String::from_utf8_lossy(text);
        let pragma = ["hadolint", "check=", "dockeropt:", "shellcheck", "tally"];
        if pragma.iter().any(|word| shown.contains(word)) {
            return Err("the comment between the steps steers a tool".to_owned());
        }
        comments.extend_from_slice(text);
    }
    Ok(comments)
}

/// Why two neighbouring steps must stay two.
fn joinable(
    cx: &PassContext<'_>,
    (first, a): (&Instruction, &Script),
    (second, b): (&Instruction, &Script),
) -> Result<(), String> {
    let refuse = |reason: &str| Err(reason.to_owned());
    if first.keyword != Keyword::Run || second.keyword != Keyword::Run {
        return refuse("the steps are not both RUN");
    }
    let flags = |one: &Instruction| -> Vec<(String, Option<String>)> {
        let flags = one.flags.iter();
        flags
            .map(|flag| (flag.name.clone(), flag.value.clone()))
            .collect()
    };
    if flags(first) != flags(second) {
        return refuse("the steps have different flags");
    }
    if !first.heredocs.is_empty() || !second.heredocs.is_empty() {
        return refuse("one of the steps has a here-document");
    }
    if let Some(name) = a.statements.iter().find_map(leak) {
        return Err(format!("{name} of the first step would act on the second"));
    }
    let rest = Span::new(a.span.end, first.span.end).of(cx.text);
    let ended = a
        .statements
        .last()
        .is_some_and(|last| last.operator.is_none());
    if !ended || !rest.trim_ascii().is_empty() {
        return refuse("something follows the last command of the first step");
    }
    let chained = b
        .statements
        .iter()
        .all(|one| matches!(one.operator, None | Some((Operator::And, _))));
    if !chained {
        return refuse("the second step would run on after a failure of the first");
    }
    let before = |comment: &Span| comment.start < b.span.start;
    if second.comments.iter().any(before) {
        return refuse("a comment stands before the first command of the second step");
    }
    Ok(())
}

/// What a statement would leave to a step that is appended to it.
fn leak(statement: &Statement) -> Option<String> {
    if matches!(statement.operator, Some((Operator::Background, _))) {
        return Some("`&`".to_owned());
    }
    match &statement.node {
        Node::Command(command) => command_leak(command),
        // Members of a pipeline and a subshell have a state of their own.
        Node::Pipeline(_) => None,
        Node::Compound(compound) => match compound.kind {
            CompoundKind::Subshell => None,
            CompoundKind::Function => Some("a function".to_owned()),
            CompoundKind::Other => None,
            // A loop sets its variable.
            CompoundKind::Loop => Some("a loop".to_owned()),
            _ => compound.lists.iter().flatten().find_map(leak),
        },
    }
}

/// Builtins that change the state of their shell, or end it.
const STATEFUL: [&str; 25] = [
    ".", "alias", "break", "cd", "continue", "declare", "enable", "eval", "exec", "exit", "export",
    "getopts", "let", "local", "mapfile", "popd", "pushd", "read", "readonly", "return", "set",
    "shift", "shopt", "source", "typeset",
];
const STATEFUL_TOO: [&str; 5] = ["trap", "ulimit", "umask", "unalias", "unset"];

fn command_leak(command: &Command) -> Option<String> {
    let Some(word) = command.words.first() else {
        let assigned = command.assignments.first()?;
        return Some(format!("`{}`", assigned.text));
    };
    let Some(name) = word.literal.as_deref() else {
        // A test, whose name reads as a pattern.
        return (word.text != "[").then(|| format!("`{}`", word.text));
    };
    let name = match name {
        "command" | "builtin" => command.words.get(1)?.literal.as_deref()?,
        name => name,
    };
    let stateful = STATEFUL.contains(&name) || STATEFUL_TOO.contains(&name);
    stateful.then(|| format!("`{name}`"))
}
