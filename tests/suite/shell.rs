//! The shell text of a Dockerfile's steps, as a shell gets it, and what `bash -n` says of it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use dockeropt::syntax::{Args, Dockerfile, Escape, Instruction, Keyword, shell};

/// The shell text of one RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    /// What the shell gets.
    pub(crate) text: Vec<u8>,
    /// Whether our own reader can read it.
    pub(crate) is_read: bool,
}

/// The shell text of each RUN in shell form that a POSIX shell or bash runs.
pub(crate) fn shell_bodies(file: &Dockerfile, text: &[u8]) -> Vec<Body> {
    let mut bodies = Vec::new();
    let mut is_posix = file.escape == Escape::Backslash;
    for one in file.instructions() {
        match one.keyword {
            Keyword::From => is_posix = file.escape == Escape::Backslash,
            Keyword::Shell => is_posix = names_posix_shell(one),
            Keyword::Run if is_posix && matches!(one.args, Args::Shell) => {
                let script = shell::text_of(one, text);
                let is_read = script.is_some_and(|script| shell::parse(&script).is_some());
                bodies.extend(body(one, text).map(|text| Body { text, is_read }));
            }
            _ => {}
        }
    }
    bodies
}

/// Whether `bash -n` takes the text; `None` where there is no bash.
pub(crate) fn bash_accepts(body: &[u8]) -> Option<bool> {
    if !*HAS_BASH {
        return None;
    }
    let mut bash = Command::new("bash")
        .arg("-n")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // bash stops reading at the first error: a broken pipe is an answer too.
    let _ = bash.stdin.take()?.write_all(body);
    Some(bash.wait().ok()?.success())
}

static HAS_BASH: LazyLock<bool> = LazyLock::new(|| {
    let found = Command::new("bash").arg("--version").output().is_ok();
    if !found {
        println!("no bash here: shell text is not checked with `bash -n`");
    }
    found
});

fn names_posix_shell(shell: &Instruction) -> bool {
    let first = shell.words().first().map(|word| word.text.as_str());
    let name = first.and_then(|path| path.rsplit('/').next());
    matches!(name, Some("sh" | "bash" | "dash" | "ash"))
}

/// What the shell reads: the script where the command is one here-document, else the command and its documents.
/// `None` where another interpreter runs it.
fn body(run: &Instruction, text: &[u8]) -> Option<Vec<u8>> {
    let command = run.args_text();
    let Some(first) = run.heredocs.first() else {
        return Some(command.to_vec());
    };
    let is_script = command.starts_with(b"<<") && !command.contains(&b' ');
    if is_script {
        let script = first.body.of(text);
        let is_foreign = script.starts_with(b"#!") && !script_is_shell(script);
        return (!is_foreign).then(|| script.to_vec());
    }
    let mut whole = command.to_vec();
    for heredoc in &run.heredocs {
        whole.push(b'\n');
        whole.extend_from_slice(heredoc.body.of(text));
        whole.extend_from_slice(heredoc.name.as_bytes());
    }
    whole.push(b'\n');
    Some(whole)
}

fn script_is_shell(script: &[u8]) -> bool {
    let line = script.split(|byte| *byte == b'\n').next();
    let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    line.trim_end().ends_with("sh")
}
