//! The shell script of a step, where it has one that can be read.

use std::fmt;

use super::{Model, Step};
use crate::syntax::Keyword;
use crate::syntax::shell::{self, Script};

/// Why the commands of a step are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opaque {
    /// It is no RUN.
    NotRun,
    /// A JSON array: no shell at all.
    ExecForm,
    /// SHELL names something else than a Bourne shell.
    OtherShell,
    /// The base is Windows.
    Windows,
    /// The file continues lines with a backtick.
    Backtick,
    /// A here-document for another interpreter.
    Interpreter,
    /// The text is no valid shell.
    Invalid,
}

impl Opaque {
    /// The reason, for a decline.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotRun => "the instruction runs no command",
            Self::ExecForm => "the command is in exec form",
            Self::OtherShell => "SHELL is not a Bourne shell",
            Self::Windows => "the base image is one of Windows",
            Self::Backtick => "the file escapes with a backtick: its shell is not a Bourne shell",
            Self::Interpreter => "the here-document is for another interpreter",
            Self::Invalid => "the shell text cannot be read",
        }
    }
}

impl fmt::Display for Opaque {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.reason())
    }
}

impl Model<'_> {
    /// Whether the shell form of an instruction at this step is given to a Bourne shell. The shell of a base that is
    /// not known counts as `/bin/sh`, which it is unless the base is Windows or was built with another SHELL.
    pub fn is_sh(&self, step: &Step<'_>) -> bool {
        self.shell_of(step).is_ok()
    }

    /// The script of a RUN, its spans those of the file.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn script<'f>(&self, step: &Step<'f>) -> Result<&'f Script, Opaque> {
        let instruction = step.instruction;
        if instruction.keyword != Keyword::Run {
            return Err(Opaque::NotRun);
        }
        if instruction.is_exec() {
            return Err(Opaque::ExecForm);
        }
        self.shell_of(step)?;
        if !instruction.heredocs.is_empty() {
            let text = shell::text_of(instruction, self.text).ok_or(Opaque::ExecForm)?;
            if is_foreign(&text.text) {
                return Err(Opaque::Interpreter);
            }
        }
        instruction.script(self.text).ok_or(Opaque::Invalid)
    }

    fn shell_of(&self, step: &Step<'_>) -> Result<(), Opaque> {
        if self.scope.escape != b'\\' {
            return Err(Opaque::Backtick);
        }
        if step.before.is_windows() {
            return Err(Opaque::Windows);
        }
        match step.before.shell() {
            Some(words) if !is_sh(words) => Err(Opaque::OtherShell),
            _ => Ok(()),
        }
    }
}

/// Whether a command line is a Bourne shell's that takes a script (`/bin/bash -o pipefail -c`).
fn is_sh(words: &[String]) -> bool {
    let Some((program, options)) = words.split_first() else {
        return false;
    };
    let takes_script = |word: &String| {
        word.strip_prefix('-')
            .is_some_and(|letters| letters.ends_with('c') && !letters.starts_with('-'))
    };
    is_shell_name(program) && options.last().is_some_and(takes_script)
}

fn is_shell_name(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh")
}

/// Whether a script names an interpreter in its first line that is no Bourne shell.
fn is_foreign(script: &[u8]) -> bool {
    let Some(rest) = script.strip_prefix(b"#!") else {
        return false;
    };
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or(rest);
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace().skip_while(|word| {
        let is_env = word.rsplit('/').next() == Some("env");
        is_env || word.starts_with('-')
    });
    !words.next().is_some_and(is_shell_name)
}

#[cfg(test)]
mod tests {
    use super::super::ModelInput;
    use super::super::tests::with;
    use super::*;

    /// The names of the commands of the last step, or why they are not known.
    fn commands(text: &str) -> Result<Vec<String>, Opaque> {
        with(text, &ModelInput::default(), |model| {
            let (_, step) = model.steps().next_back().unwrap();
            let script = model.script(step)?;
            let names = script.commands().into_iter();
            let names = names.filter_map(|at| at.command.name().map(str::to_owned));
            Ok(names.collect())
        })
    }

    #[test]
    fn shell_form() {
        assert_eq!(commands("FROM a\nRUN x && y\n").unwrap(), ["x", "y"]);
        assert_eq!(
            commands("FROM a\nSHELL [\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\"]\nRUN x\n")
                .unwrap(),
            ["x"]
        );
    }

    #[test]
    fn heredocs() {
        assert_eq!(
            commands("FROM a\nRUN <<EOF\nx\ny\nEOF\n").unwrap(),
            ["x", "y"]
        );
        assert_eq!(
            commands("FROM a\nRUN <<EOF\n#!/usr/bin/env bash\nx\nEOF\n").unwrap(),
            ["x"]
        );
        let python = "FROM a\nRUN <<EOF\n#!/usr/bin/env -S python3\nx\nEOF\n";
        assert_eq!(commands(python), Err(Opaque::Interpreter));
    }

    #[test]
    fn opaque() {
        let why = |text: &str| commands(text).unwrap_err();
        assert_eq!(why("FROM a\nCMD x\n"), Opaque::NotRun);
        assert_eq!(why("FROM a\nRUN [\"x\"]\n"), Opaque::ExecForm);
        assert_eq!(why("FROM a\nRUN if x\n"), Opaque::Invalid);
        assert_eq!(why("# escape=`\nFROM a\nRUN x\n"), Opaque::Backtick);
        assert_eq!(why("FROM golang:1-nanoserver\nRUN x\n"), Opaque::Windows);
        for shell in [
            r#"["powershell", "-c"]"#,
            r#"["bash"]"#,
            r#"["bash", "--rcfile", "--c"]"#,
            r#"["conda", "run", "bash", "-c"]"#,
        ] {
            assert_eq!(
                why(&format!("FROM a\nSHELL {shell}\nRUN x\n")),
                Opaque::OtherShell
            );
        }
    }
}
