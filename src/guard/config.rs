//! Changes of one key of the image configuration.

use super::instruction::At;
use super::later::Place;
use super::script::lists;
use super::{Fault, Side, Verdict, temp};
use crate::model::Step;
use crate::syntax::shell::{self, Script};
use crate::syntax::{Args, Instruction, Keyword};

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

/// Whether no step behind a place does something else where the key has another value.
pub(super) fn is_read_by_nobody(key: &str, place: Place<'_>) -> Verdict {
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
    let words = command.words.iter().map(|word| word.literal.as_deref());
    let expected = new.words().iter().map(|word| Some(word.text.as_str()));
    let is_program = command.name().is_some_and(|name| !BUILTINS.contains(&name));
    bare && is_program && words.eq(expected)
}

/// Names that only a shell knows.
const BUILTINS: [&str; 16] = [
    ".", ":", "cd", "command", "eval", "exec", "exit", "export", "read", "set", "source", "trap",
    "type", "ulimit", "umask", "wait",
];

/// An ENTRYPOINT in shell form takes no arguments; in exec form a CMD would become some.
fn no_arguments_come(new: &Instruction, place: Place<'_>) -> Verdict {
    let stage = place.side.model.stages.get(place.stage);
    let steps = stage.map_or(&[][..], |stage| stage.steps.as_slice());
    let has = |keyword| steps.iter().any(|step| step.instruction.keyword == keyword);
    let clash = match new.keyword {
        Keyword::Entrypoint => has(Keyword::Cmd),
        _ => has(Keyword::Entrypoint),
    };
    match clash {
        false => Ok(()),
        true => Err(Fault::new(
            "CMD becomes the arguments of ENTRYPOINT",
            new.span,
        )),
    }
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
        let adds = temp::contains(text, "useradd") || temp::contains(text, "adduser");
        adds && !name.is_empty() && temp::contains(text, name)
    });
    match by_base || is_number || by_command {
        true => Ok(()),
        false => Err(Fault::new(
            format!("nothing creates the account `{name}`"),
            new.instruction.span,
        )),
    }
}
