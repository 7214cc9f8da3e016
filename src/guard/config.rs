//! Changes of one key of the image configuration.

use super::instruction::At;
use super::later::Place;
use super::script::lists;
use super::{Fault, Side, Verdict};
use crate::model::expand::{Lookup, expand};
use crate::model::{Base, Model, Stage, Step};
use crate::syntax::shell::{self, Script};
use crate::syntax::{Args, Instruction, Keyword};
use crate::text::{Span, contains};

/// Whether a key says what the image starts: it may be written anew, and neither come nor go.
pub(super) fn starts_image(key: &str) -> bool {
    matches!(key, "cmd" | "entrypoint")
}

/// The key that an instruction sets, as `config:<key>` names it.
pub(super) fn key(keyword: Keyword) -> Option<&'static str> {
    Some(match keyword {
        Keyword::Maintainer => "author",
        Keyword::Cmd => "cmd",
        Keyword::Entrypoint => "entrypoint",
        Keyword::Env => "env",
        Keyword::Expose => "expose",
        Keyword::Healthcheck => "healthcheck",
        Keyword::Label => "labels",
        Keyword::Onbuild => "onbuild",
        Keyword::Shell => "shell",
        Keyword::Stopsignal => "stopsignal",
        Keyword::User => "user",
        Keyword::Volume => "volumes",
        Keyword::Workdir => "workdir",
        _ => return None,
    })
}

/// Whether the key may have another value: a shell form that becomes an exec form must run the same words.
pub(super) fn may_change(
    (old, before): (&Step<'_>, &Side<'_>),
    (new, after): (&Step<'_>, &Side<'_>),
    place: Place<'_>,
) -> Verdict {
    let (ours, theirs) = (old.instruction, new.instruction);
    let becomes_exec = matches!(ours.args, Args::Shell) && theirs.is_exec();
    let runs = matches!(theirs.keyword, Keyword::Cmd | Keyword::Entrypoint);
    if runs && becomes_exec {
        let same = before.model.is_sh(old) && is_same_command((ours, before), theirs);
        if !same {
            let reason = format!("{} needs the shell that it loses", theirs.keyword);
            return Err(Fault::new(reason, theirs.span));
        }
        return no_arguments_come(theirs, place);
    }
    may_come((new, after), place)
}

/// Whether the key may be set where it was not.
pub(super) fn may_come((new, _): (&Step<'_>, &Side<'_>), place: Place<'_>) -> Verdict {
    let instruction = new.instruction;
    if instruction.keyword == Keyword::User {
        account_exists(new, place)?;
    }
    match key(instruction.keyword) {
        Some(key) => is_read_by_nobody(key, place),
        None => Ok(()),
    }
}

/// Whether LABEL names whom MAINTAINER named, quotes left out, by a label that nothing else in the stage sets.
pub(super) fn names_the_author(
    (old, _): (&Step<'_>, &Side<'_>),
    (new, after): (&Step<'_>, &Side<'_>),
    place: Place<'_>,
) -> Verdict {
    let fault = |reason: &str| Err(Fault::new(reason, new.instruction.span));
    let author = old.instruction.words().first();
    let author = author.map_or("", |word| unquoted(&word.text));
    let [pair] = new.instruction.pairs() else {
        return fault("LABEL does more than name the author");
    };
    let literal = |word: &str| expand(word, after.escape, &|_| Lookup::Unknown);
    let is_known = ["org.opencontainers.image.authors", "maintainer"].contains(&&*pair.key.text);
    if !is_known || literal(&pair.value.text).as_deref() != Ok(author) {
        return fault("LABEL names another author than MAINTAINER");
    }
    let stage = place.side.model.stages.get(place.stage);
    let steps = stage.map_or(&[][..], |stage| stage.steps.as_slice());
    let pairs = steps.iter().flat_map(|step| step.instruction.pairs());
    let key = literal(&pair.key.text);
    match pairs.filter(|pair| literal(&pair.key.text) == key).count() {
        1 => Ok(()),
        _ => fault("another LABEL names the author"),
    }
}

fn unquoted(name: &str) -> &str {
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(name)
}

/// Whether no step behind a place does something else where the key has another value.
pub(super) fn is_read_by_nobody(key: &str, place: Place<'_>) -> Verdict {
    if starts_image(key) {
        let at = Span::at(place.side.text.len() as u32);
        return Err(Fault::new(
            format!("the image starts something else: its `{key}`"),
            at,
        ));
    }
    if !matches!(key, "env" | "shell" | "user" | "workdir") {
        return Ok(());
    }
    let Some(stage) = place.side.model.stages.get(place.stage) else {
        return Ok(());
    };
    let reads = |step: &&Step<'_>| {
        let one = step.instruction;
        match one.keyword {
            Keyword::Run | Keyword::Onbuild => true,
            Keyword::Copy | Keyword::Add | Keyword::Workdir => key != "shell",
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck => {
                key == "shell" && !one.is_exec()
            }
            _ => key == "env" && one.logical.text.contains(&b'$'),
        }
    };
    match stage.steps.iter().skip(place.step + 1).find(reads) {
        None => Ok(()),
        Some(step) => {
            let reason = format!("{} runs with another `{key}`", step.instruction.keyword);
            Err(Fault::new(reason, step.instruction.span))
        }
    }
}

/// Whether a command in shell form is one program with these words, nothing in them left to the shell.
fn is_same_command((old, before): At<'_>, new: &Instruction) -> bool {
    let script = shell::text_of(old, before.text).and_then(|text| shell::parse(&text));
    let Some(Script { statements, .. }) = script else {
        return false;
    };
    let [statement] = statements.as_slice() else {
        return false;
    };
    let Some(command) = statement.command() else {
        return false;
    };
    let bare = command.assignments.is_empty()
        && command.redirects.is_empty()
        && !statement.negated
        && statement.operator.is_none()
        && lists(statement).is_empty();
    let words: Vec<_> = command
        .words
        .iter()
        .map(|word| word.literal.as_deref())
        .collect();
    // `exec program` is the program.
    let words = match words.as_slice() {
        [Some("exec"), rest @ ..]
            if rest
                .first()
                .is_some_and(|word| !word.unwrap_or("-").starts_with('-')) =>
        {
            rest
        }
        words => words,
    };
    let expected = new.words().iter().map(|word| Some(word.text.as_str()));
    let is_program = words
        .first()
        .copied()
        .flatten()
        .is_some_and(|name| !BUILTINS.contains(&name));
    bare && is_program && words.iter().copied().eq(expected)
}

/// Names that only a shell knows.
const BUILTINS: [&str; 34] = [
    ".", ":", "[", "[[", "alias", "bg", "break", "builtin", "cd", "command", "continue", "declare",
    "eval", "exec", "exit", "export", "fg", "getopts", "hash", "jobs", "let", "local", "read",
    "readonly", "return", "set", "shift", "source", "time", "trap", "type", "ulimit", "umask",
    "wait",
];

/// An ENTRYPOINT in shell form takes no arguments; in exec form a CMD would become some. So would the words of a CMD,
/// where the ENTRYPOINT is not one that runs what it is given.
fn no_arguments_come(new: &Instruction, place: Place<'_>) -> Verdict {
    let model = &place.side.model;
    let clash = match new.keyword {
        Keyword::Entrypoint => model.stages.iter().any(|stage| {
            let sets = stage
                .steps
                .iter()
                .any(|step| step.instruction.keyword == Keyword::Cmd);
            sets && is_built_on(model, stage, place.stage)
        }),
        _ => {
            let config = model.config(place.stage);
            let entrypoint = config
                .and_then(|config| config.entrypoint)
                .unwrap_or_default();
            !entrypoint.is_empty() && !runs_its_arguments(&entrypoint)
        }
    };
    match clash {
        false => Ok(()),
        true => Err(Fault::new(
            "CMD becomes the arguments of ENTRYPOINT",
            new.span,
        )),
    }
}

/// Whether a stage is that one, or is built on it.
fn is_built_on(model: &Model<'_>, stage: &Stage<'_>, base: usize) -> bool {
    let mut next = Some(stage);
    while let Some(stage) = next {
        if stage.index == base {
            return true;
        }
        next = match stage.base {
            Base::Stage(index) => model.stages.get(index),
            _ => None,
        };
    }
    false
}

/// Whether an ENTRYPOINT is an init that starts the command behind its own options.
fn runs_its_arguments(entrypoint: &[String]) -> bool {
    let Some((program, options)) = entrypoint.split_first() else {
        return false;
    };
    let name = program.rsplit('/').next().unwrap_or_default();
    let is_init = ["tini", "dumb-init", "catatonit", "docker-init"].contains(&name);
    is_init && options.iter().all(|option| option.starts_with('-'))
}

/// Something creates the account that USER names: the base, or a command above.
fn account_exists(new: &Step<'_>, place: Place<'_>) -> Verdict {
    let word = new.instruction.words().first();
    let name = word.map_or("", |word| word.text.split(':').next().unwrap_or_default());
    let by_base = name == "root" || new.before.base().home_of(name).is_some();
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let stage = place.side.model.stages.get(place.stage);
    let above = stage
        .into_iter()
        .flat_map(|stage| stage.steps.iter().take(place.step));
    let mut above = above.filter(|step| step.instruction.keyword == Keyword::Run);
    let by_command = above.any(|step| {
        let text = step.instruction.args_text();
        let adds = contains(text, "useradd") || contains(text, "adduser");
        adds && !name.is_empty() && contains(text, name)
    });
    match by_base || is_number || by_command {
        true => Ok(()),
        false => Err(Fault::new(
            format!("nothing creates the account `{name}`"),
            new.instruction.span,
        )),
    }
}
