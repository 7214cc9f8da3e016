//! How steps become one: what keeps two of them apart, and the edits that join several.

use crate::model::managers::invocation;
use crate::model::state::State;
use crate::pass::PassContext;
use crate::pass::layout::{self, Layout, MAX_COLUMNS};
use crate::syntax::shell::{Command, CommandAt, CompoundKind, Node, Operator, Script, Statement};
use crate::syntax::{Instruction, Item, Keyword};
use crate::text::{Edit, Span};

/// A RUN and its script.
pub(super) type Run<'a> = (&'a Instruction, &'a Script);

/// The edits that make one step of `runs`, all of which are [`joinable`]. On the lines that are there, where their
/// authors break none at an operator and all stay short; else a command a line, as the first that does so is written.
pub(super) fn edits(cx: &PassContext<'_>, runs: &[Run<'_>]) -> Result<Vec<Edit>, String> {
    let layouts = runs
        .iter()
        .map(|(run, script)| Layout::of(run, script, cx.text));
    let layouts: Vec<Layout> = layouts.collect();
    let shown = layouts.iter().find(|one| one.breaks_operators);
    let Some(layout) = shown.or(layouts.first()) else {
        return Ok(Vec::new());
    };
    let pairs = runs.iter().zip(runs.iter().skip(1));
    let gaps = pairs.map(|((first, a), (second, b))| {
        let comments = comments_between(cx, first, second)?;
        Ok((Span::new(a.span.end, b.span.start), comments))
    });
    let gaps: Vec<(Span, Vec<u8>)> = gaps.collect::<Result<_, String>>()?;
    let (last, others) = layouts.split_last().unwrap_or((layout, &[]));
    let unbroken = others.iter().all(|one| one.single_line) && !last.breaks_operators;
    let short = unbroken && fits(cx, runs);
    let inline = short && gaps.iter().all(|(_, comments)| comments.is_empty());
    let joint = |(gap, comments): (Span, Vec<u8>)| match inline {
        true => Edit::replace(gap, INLINE),
        false => Edit::replace(gap, layout.break_with_comments(&comments)),
    };
    let mut edits: Vec<Edit> = gaps.into_iter().map(joint).collect();
    if !short {
        let single = runs.iter().zip(&layouts).filter(|(_, one)| one.single_line);
        edits.extend(single.flat_map(|((_, script), _)| breaks(script, layout)));
    }
    Ok(edits)
}

const INLINE: &[u8] = b" && ";

/// Whether all of `runs` on one line are short, up to where the last goes on on a line of its own.
fn fits(cx: &PassContext<'_>, runs: &[Run<'_>]) -> bool {
    let Some(((_, first), rest)) = runs.split_first() else {
        return true;
    };
    let start = layout::columns_before(first.span.end, cx.text);
    let rest = rest
        .iter()
        .map(|(_, script)| INLINE.len() + layout::columns_after(script.span.start, cx.text));
    start + rest.sum::<usize>() <= MAX_COLUMNS
}

/// Breaks a script of one line at each `&&`.
fn breaks(script: &Script, layout: &Layout) -> Vec<Edit> {
    let pairs = script.statements.windows(2);
    let and = pairs.filter(|pair| matches!(pair[0].operator, Some((Operator::And, _))));
    let gaps = and.map(|pair| Span::new(pair[0].span.end, pair[1].span.start));
    gaps.map(|gap| Edit::replace(gap, layout.break_before_command()))
        .collect()
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
///
/// # Errors
/// The reason.
pub(super) fn joinable(
    cx: &PassContext<'_>,
    (first, a): Run<'_>,
    (second, b): Run<'_>,
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

/// Whether a step of so many commands is one that people read, and that shells parse.
///
/// # Errors
/// The reason why it is not.
pub(super) fn is_short(commands: usize) -> Result<(), String> {
    const MOST: usize = 50;
    match commands <= MOST {
        true => Ok(()),
        false => Err(format!("the step would have more than {MOST} commands")),
    }
}

/// Why the second step would run another program than it does now: the first installs a newer one beside it, and a shell
/// remembers where it found the old one.
///
/// # Errors
/// The reason.
pub(super) fn runs_the_same(before: &State, a: &Script, b: &Script) -> Result<(), String> {
    let is_family = |name: &str| before.base().is_family(name);
    let shadowed = a.commands().into_iter().find_map(|at| {
        let one = invocation(&at.command.words)?;
        let shadows = one.shadows_itself(&at.command.words, is_family);
        shadows.then_some(one.manager.name.as_str())
    });
    let Some(name) = shadowed else {
        return Ok(());
    };
    let calls = |at: CommandAt<'_>| {
        invocation(&at.command.words).is_some_and(|one| one.manager.name == name)
    };
    match b.commands().into_iter().any(calls) {
        true => Err(format!(
            "the first step upgrades `{name}`, and its shell would go on with the old one"
        )),
        false => Ok(()),
    }
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
