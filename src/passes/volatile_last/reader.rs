//! Who may read a variable: what a RUN does without naming it.

use super::VolatileLast;
use crate::context::glob;
use crate::model::managers::{Kind, Role, invocation};
use crate::pass::runs::Step;
use crate::syntax::shell::Command;
use crate::syntax::{Instruction, Keyword};

/// What a RUN may read of variables that it does not name. The later one outweighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reads {
    /// Nothing of these.
    Nothing,
    /// What it installs may run a script.
    Perhaps,
    /// Anything.
    Anything,
}

impl VolatileLast {
    pub(super) fn reads(&self, step: &Step<'_>) -> Reads {
        let Some(script) = step.script() else {
            return Reads::Anything;
        };
        let commands = script.commands();
        let each = commands.iter().map(|at| self.command_reads(at.command));
        each.max().unwrap_or(Reads::Nothing)
    }

    fn command_reads(&self, command: &Command) -> Reads {
        if command.words.is_empty() {
            return Reads::Nothing;
        }
        if let Some(one) = invocation(&command.words) {
            let is_go = one.manager.name == "go" && one.role == Role::Build;
            return match one.role {
                Role::Build | Role::Run | Role::Other if !is_go => Reads::Anything,
                _ if one.manager.kind == Kind::System => Reads::Nothing,
                Role::Clean | Role::UpdateIndex => Reads::Nothing,
                _ => Reads::Perhaps,
            };
        }
        let mut words = command.words.iter().map(|word| word.text.as_str());
        let name = words.find(|word| *word != "sudo").unwrap_or_default();
        let runs_another = words.any(|word| word.starts_with("-exec"));
        match self.plain.iter().any(|plain| plain == name) && !runs_another {
            true => Reads::Nothing,
            false => Reads::Anything,
        }
    }
}

/// The names that an ARG, ENV or LABEL sets; `None` where one depends on a variable.
pub(super) fn names(instruction: &Instruction) -> Option<Vec<String>> {
    let names: Vec<&str> = match instruction.keyword {
        Keyword::Arg => {
            let words = instruction.words().iter();
            words
                .map(|word| word.text.split('=').next().unwrap_or(&word.text))
                .collect()
        }
        _ => {
            let pairs = instruction.pairs().iter();
            pairs.map(|pair| pair.key.text.trim_matches('"')).collect()
        }
    };
    let is_plain = |name: &&str| !name.is_empty() && !name.contains(['$', '\\', '\'', '"']);
    let all = names.iter().all(is_plain);
    all.then(|| names.into_iter().map(str::to_owned).collect())
}

/// Whether `name` matches a pattern of the table.
pub(super) fn matches_name(pattern: &str, name: &str) -> bool {
    glob::matches(pattern, &name.to_ascii_uppercase()).unwrap_or(false)
}
