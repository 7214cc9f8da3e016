//! The programs that a build makes, and where later commands put them.

use super::{At, For};
use crate::context::path;
use crate::pass::command;

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
        let words = found.words.iter().skip(1);
        let words: Option<Vec<&str>> = words.map(|word| word.literal.as_deref()).collect();
        let directory = at.place.started_in(at.script, &at.found)?;
        let paths: Vec<String> = words?
            .into_iter()
            .filter(|word| !word.starts_with('-'))
            .map(|word| path::absolute(&directory, word))
            .collect();
        let are_made =
            |paths: &[String]| !paths.is_empty() && paths.iter().all(|path| self.has(path));
        let is_known = match (command::name(found)?, paths.as_slice()) {
            ("chmod", [_, paths @ ..]) => are_made(paths),
            ("strip" | "upx", paths) => are_made(paths),
            (name @ ("mv" | "cp"), [from, to]) if self.has(from) => {
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
}
