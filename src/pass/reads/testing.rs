//! What the tests of all readers share: a command that installs for the project of a few files.

use super::{Early, Install, Reads, reads};
use crate::context::MemoryContext;
use crate::model::managers;
use crate::project::Project;
use crate::syntax::Dockerfile;
use crate::syntax::shell::{parse, text_of};

/// What a command is expected to read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected<'e> {
    /// It is no install of the project.
    Nothing,
    /// Paths, what it writes, and the doubt.
    Itself(&'e [&'e str], &'e [&'e str], Option<&'e str>),
    /// Paths, the command that goes before it, and the doubt.
    Fetch(&'e [&'e str], &'e str, Option<&'e str>),
    /// Why not.
    Declined(&'e str),
}

/// Checks what the last command of `script` reads; it may start with `cd DIR &&`, which names the project. The context is
/// copied to `/src`.
pub(super) fn check(files: &[(&str, &str)], script: &str, expected: Expected<'_>) {
    let context: MemoryContext = files.iter().copied().collect();
    let file = format!("FROM x\nRUN {script}\n");
    let parsed = Dockerfile::parse(file.as_bytes());
    let run = parsed.instructions().nth(1).unwrap();
    let script = parse(&text_of(run, file.as_bytes()).unwrap()).unwrap();
    let commands = script.commands();
    let command = commands.last().unwrap().command;
    let root = match commands[0].command.words.as_slice() {
        [name, directory] if name.text == "cd" => directory.text.as_str(),
        _ => "",
    };
    let directory = format!("/src/{root}");
    let install = Install {
        command,
        invocation: &managers::invocation(&command.words).unwrap(),
        directory: directory.trim_end_matches('/'),
        context: &context,
        root,
        project: &Project::new(&context, root),
    };
    let strings = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
    let expected = match expected {
        Expected::Nothing => None,
        Expected::Declined(why) => Some(Err(why.to_owned())),
        Expected::Itself(paths, writes, doubt) => Some(Ok(Reads {
            paths: strings(paths),
            writes: strings(writes),
            doubt: doubt.map(str::to_owned),
            early: Early::Itself,
        })),
        Expected::Fetch(paths, fetch, doubt) => Some(Ok(Reads {
            paths: strings(paths),
            writes: strings(&[]),
            doubt: doubt.map(str::to_owned),
            early: Early::Fetch(fetch.to_owned()),
        })),
    };
    assert_eq!(reads(&install), expected, "{file}");
}
