//! The programs that a build makes, and where later commands put them.

use super::{At, For};
use crate::context::path;
use crate::model::Stage;
use crate::pass::command;
use crate::pass::program::Program;
use crate::syntax::shell::Command;

/// Absolute paths of programs.
#[derive(Default)]
pub(super) struct Made(Vec<String>);

impl Made {
    pub(super) fn add(&mut self, path: String) {
        self.0.push(path);
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|one| one == path)
    }

    /// What a command is for that works on such programs; `None` where it does not.
    pub(super) fn command(&mut self, at: &At<'_, '_>) -> Option<For> {
        let found = at.found.command;
        let directory = at.place.started_in(at.script, &at.found)?;
        let paths: Vec<String> = operands(found)?
            .into_iter()
            .map(|word| path::absolute(&directory, word))
            .collect();
        let are_made =
            |paths: &[String]| !paths.is_empty() && paths.iter().all(|path| self.has(path));
        let is_known = match (command::name(found)?, paths.as_slice()) {
            ("chmod", [_, paths @ ..]) => are_made(paths),
            ("strip" | "upx", paths) => are_made(paths),
            (name @ ("mv" | "cp" | "install"), [from, to]) if self.has(from) => {
                let is_directory = found.words.last()?.text.ends_with('/')
                    || to.ends_with("/bin")
                    || to.ends_with("/sbin");
                let to = match is_directory {
                    true => format!("{to}/{}", path::file_name(from)),
                    false => to.clone(),
                };
                if name == "mv" {
                    self.0.retain(|one| one != from);
                }
                self.add(to);
                true
            }
            _ => false,
        };
        is_known.then_some(For::Build)
    }

    /// The absolute path of the program in a stage that ends in this state: one of these.
    ///
    /// # Errors
    /// It is none of these.
    pub(super) fn find(&self, program: &Program, stage: &Stage<'_>) -> Result<String, String> {
        let unknown = || {
            format!(
                "that the build makes `{}`, which is started, is not known",
                program.name
            )
        };
        let mut places = program.places(stage).into_iter();
        places.find(|path| self.has(path)).ok_or_else(unknown)
    }
}

/// The words behind a command's name that are neither options nor the mode that one sets; `None` where one is not literal.
pub(super) fn operands(command: &Command) -> Option<Vec<&str>> {
    let words = command.words.iter().skip(1);
    let words: Option<Vec<&str>> = words.map(|word| word.literal.as_deref()).collect();
    let words = words?;
    let is_mode = |at: usize| at > 0 && words[at - 1] == "-m";
    let operands = words.iter().enumerate();
    let operands = operands.filter(|(at, word)| !word.starts_with('-') && !is_mode(*at));
    Some(operands.map(|(_, word)| *word).collect())
}
