//! What the health check of a stage calls. Runs nothing, and looks into no script that it calls.

use super::command;
use super::runs::Stage;
use crate::syntax::shell;
use crate::syntax::{Args, Instruction, Keyword};

/// Commands that all images with a shell have, behind the one that checks.
const ALWAYS: [&str; 12] = [
    "[", "cat", "cut", "echo", "exit", "false", "grep", "head", "kill", "test", "tr", "true",
];

const SHELLS: [&str; 4] = ["sh", "/bin/sh", "bash", "/bin/bash"];

/// The health check, where there is one, runs something that the runtime stage has.
///
/// # Errors
/// It runs something else.
pub fn check(stage: &Stage<'_>, has: impl Fn(&str) -> bool) -> Result<(), String> {
    let calls = calls(stage)?;
    let is_there =
        |(at, name): &(usize, &String)| has(name) || *at > 0 && ALWAYS.contains(&name.as_str());
    match calls.iter().enumerate().find(|call| !is_there(call)) {
        Some((_, name)) => Err(format!(
            "the health check runs `{name}`, which the runtime stage may not have"
        )),
        None => Ok(()),
    }
}

/// The commands that the health check calls, as they are written; none where there is no check.
///
/// # Errors
/// They cannot be read.
pub fn calls(stage: &Stage<'_>) -> Result<Vec<String>, String> {
    let unknown = || "what the health check runs is not known".to_owned();
    let text = match words(stage) {
        None => return Ok(Vec::new()),
        Some(Words::Line(text)) => text,
        Some(Words::Exec(words)) => match words.as_slice() {
            [shell, option, text, ..] if SHELLS.contains(&shell.as_str()) && option == "-c" => {
                text.clone()
            }
            [name, ..] => return Ok(vec![name.clone()]),
            [] => return Err(unknown()),
        },
    };
    let script = shell::parse_text(&text).ok_or_else(unknown)?;
    let commands = script.commands().into_iter();
    let names = commands.map(|found| {
        let at = command::name_index(found.command)?;
        found.command.words[at].literal.clone()
    });
    names.collect::<Option<Vec<String>>>().ok_or_else(unknown)
}

/// Whether the health check asks a server that has to prove who it is.
pub fn is_secure(stage: &Stage<'_>) -> bool {
    let check = last(stage).map(|check| String::from_utf8_lossy(check.args_text()));
    check.is_some_and(|text| text.contains("https:"))
}

/// What an engine runs to check.
enum Words {
    Line(String),
    Exec(Vec<String>),
}

/// What the health check of the stage is; `None` where there is none.
fn words(stage: &Stage<'_>) -> Option<Words> {
    let check = last(stage)?;
    let Args::Healthcheck {
        kind,
        exec,
        command_start,
    } = &check.args
    else {
        return None;
    };
    if !kind.text.eq_ignore_ascii_case("cmd") {
        return None;
    }
    let text = &check.logical.text;
    let line = text.get(*command_start as usize..check.args_end as usize);
    Some(match exec {
        Some(words) => Words::Exec(words.iter().map(|word| word.text.clone()).collect()),
        None => Words::Line(String::from_utf8_lossy(line.unwrap_or_default()).into_owned()),
    })
}

fn last<'a>(stage: &Stage<'a>) -> Option<&'a Instruction> {
    let mut steps = stage.model.steps.iter().rev();
    let check = steps.find(|step| step.instruction.keyword == Keyword::Healthcheck);
    check.map(|step| step.instruction)
}
