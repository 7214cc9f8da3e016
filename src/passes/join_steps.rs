//! Neighbouring RUN steps become one, where the same commands then run in the same order and the same state.

mod join;
mod related;

use serde::Deserialize;

use crate::model::managers::{Role, invocation};
use crate::pass::command::{self, is_any};
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext, download};
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, Script};
use crate::text::Span;
use join::Run;

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
    /// What the option `when` says: all commands of both are of one package manager, or any two steps.
    Related {},
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
            let mut at = 0;
            while let Some(first) = stage.steps.get(at) {
                let taken = match is_run(first) {
                    true => self.from(cx, stage, at, out),
                    false => 1,
                };
                at += taken;
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        match self {
            Self::Pair { first, .. } => command::names(first),
            Self::Cleanup { .. } | Self::Related {} => Vec::new(),
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
    /// It would belong there, but for this.
    Decline(&'static str),
}

impl JoinSteps {
    /// Joins step `at` and as many of the next as belong to it; how many steps it is done with.
    fn from(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        at: usize,
        out: &mut Findings,
    ) -> usize {
        let steps = &stage.steps[at..];
        self.look_apart(cx, stage, steps, out);
        let mut runs: Vec<Run<'_>> = Vec::new();
        let mut length = 0;
        for pair in steps.windows(2).take_while(|pair| is_run(&pair[1])) {
            let (Some(a), Some(b)) = (pair[0].script(), pair[1].script()) else {
                break;
            };
            let (first, second) = ((pair[0].instruction, a), (pair[1].instruction, b));
            let wanted = match self.wish(cx, stage, a, b) {
                Wish::None => break,
                Wish::Join => join::joinable(cx, first, second)
                    .and_then(|()| join::runs_the_same(pair[0].before, a, b)),
                Wish::Decline(reason) => Err(reason.to_owned()),
            };
            length += a.statements.len();
            let wanted = wanted.and_then(|()| join::is_short(length + b.statements.len()));
            if let Err(reason) = wanted {
                out.decline(span_of(&pair[0], &pair[1]), reason);
                break;
            }
            if runs.is_empty() {
                runs.push(first);
            }
            runs.push(second);
        }
        self.join(cx, &runs, out);
        runs.len().max(1)
    }

    fn join(&self, cx: &PassContext<'_>, runs: &[Run<'_>], out: &mut Findings) {
        let [(first, _), .., (last, _)] = runs else {
            return;
        };
        let span = shown_span(first).cover(shown_span(last));
        let edits = match join::edits(cx, runs) {
            Ok(edits) => edits,
            Err(reason) => return out.decline(span, reason),
        };
        let message = match self {
            Self::Pair { .. } => "the package lists are updated in a step of their own",
            Self::Cleanup { .. } => "the step deletes what the layer before it keeps",
            Self::Related {} => "the steps belong together",
        };
        let title = match runs.len() {
            2 => "join the two steps".to_owned(),
            count => format!("join the {count} steps"),
        };
        out.report(span, message, cx.fix(title, edits));
    }

    /// Says what stands between two steps that should be one.
    fn look_apart(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        steps: &[Step<'_>],
        out: &mut Findings,
    ) {
        let [first, other, rest @ ..] = steps else {
            return;
        };
        let second = rest
            .iter()
            .find(|step| is_run(step))
            .filter(|_| !is_run(other));
        let scripts = second.and_then(|second| Some((second, first.script()?, second.script()?)));
        let Some((second, a, b)) = scripts.filter(|_| !matches!(self, Self::Related {})) else {
            return;
        };
        if let Wish::Join = self.wish(cx, stage, a, b) {
            let reason = format!("`{}` stands between the steps", other.instruction.keyword);
            out.decline(span_of(first, second), reason);
        }
    }

    fn wish(&self, cx: &PassContext<'_>, stage: &Stage<'_>, a: &Script, b: &Script) -> Wish {
        match self {
            Self::Pair {
                first,
                beside,
                second,
            } => updates(a, first, beside, b, second),
            Self::Cleanup { downloads, mess } => cleans_up(a, *downloads, mess, b, stage.ships),
            Self::Related {} => related::wish(cx, stage, a, b),
        }
    }
}

fn span_of(first: &Step<'_>, last: &Step<'_>) -> Span {
    shown_span(first.instruction).cover(shown_span(last.instruction))
}

/// Whether every statement of the list is a simple command.
fn is_simple(script: &Script) -> bool {
    script.top_commands().count() == script.statements.len()
}

/// The first fetches the package lists and nothing else, and the second installs from them.
fn updates(
    a: &Script,
    first: &[Vec<String>],
    beside: &[Vec<String>],
    b: &Script,
    second: &[Vec<String>],
) -> Wish {
    let known = |one| is_any(one, first) || is_any(one, beside);
    let updates = a.top_commands().any(|(_, one)| is_any(one, first))
        && a.top_commands().all(|(_, one)| known(one));
    let commands = b.commands();
    let installs = commands.iter().any(|at| is_any(at.command, second))
        && !commands.iter().any(|at| is_any(at.command, first));
    match is_simple(a) && updates && installs {
        true => Wish::Join,
        false => Wish::None,
    }
}

/// Every command of the second deletes, and one of them what the first wrote.
fn cleans_up(a: &Script, downloads: bool, mess: &[Mess], b: &Script, ships: bool) -> Wish {
    let is_cleanup = |command: &Command| mess.iter().any(|one| one.cleaned_by(command));
    let may_delete = |command: &Command| {
        let name = command::name(command);
        matches!(name, Some("rm" | "find" | "true")) || is_cleanup(command)
    };
    if !is_simple(b) || !b.top_commands().all(|(_, command)| may_delete(command)) {
        return Wish::None;
    }
    let cleaned = |one: &&Mess| b.top_commands().any(|(_, command)| one.cleaned_by(command));
    let cleaned = mess.iter().filter(cleaned);
    let left: Vec<&Mess> = cleaned.filter(|one| one.made_by(a)).collect();
    let files = match downloads {
        true => downloaded(a),
        false => Vec::new(),
    };
    let mut own = false;
    let mut cleans = true;
    for (_, command) in b.top_commands() {
        let ours = left.iter().any(|one| one.cleaned_by(command))
            || deletes_only(command, |path| files.iter().any(|file| file == path));
        own |= ours;
        cleans &= ours || is_cleanup(command);
    }
    match own {
        false => Wish::None,
        true if !cleans => {
            Wish::Decline("the step does more than delete what the step before it wrote")
        }
        true if !ships => Wish::Decline("this stage does not ship"),
        true => Wish::Join,
    }
}

impl Mess {
    /// Whether a command of the script may have made the mess: one of the programs, and no cleanup itself.
    fn made_by(&self, script: &Script) -> bool {
        let commands = script.commands();
        let mut writers = commands.iter().filter(|at| !self.cleaned_by(at.command));
        writers.any(|at| {
            let role = invocation(&at.command.words).map(|one| one.role);
            if matches!(role, Some(Role::Run | Role::Other)) {
                return false;
            }
            let name = command::name(at.command).unwrap_or_default();
            let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            self.by.iter().any(|by| by == name || by == plain)
        })
    }

    fn cleaned_by(&self, command: &Command) -> bool {
        is_any(command, &self.commands)
            || deletes_only(command, |path| {
                let (path, of_root) = below_home(path);
                self.paths.iter().any(|mess| {
                    let (mess, is_of_root) = below_home(mess.trim_end_matches("*-old"));
                    let rest = path.strip_prefix(mess).filter(|_| of_root == is_of_root);
                    rest.is_some_and(|rest| {
                        rest.is_empty() || rest.starts_with('/') || mess.ends_with('/')
                    })
                })
            })
    }
}

/// A path without the home of root in front, and whether that was there, which is also written as `~`.
fn below_home(path: &str) -> (&str, bool) {
    let home = path
        .strip_prefix("/root")
        .or_else(|| path.strip_prefix('~'));
    (home.unwrap_or(path), home.is_some())
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

/// The files that a command downloads, where all its words are known.
fn downloads_of(command: &Command) -> Vec<String> {
    match command.words.iter().all(|word| word.literal.is_some()) {
        true => download::files(command),
        false => Vec::new(),
    }
}
