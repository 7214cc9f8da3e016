//! What follows a step: in its stage, and in the stages that are built on it.

use crate::pass::command;
use crate::pass::runs::Stage;
use crate::pass::runs::Step;
use crate::syntax::shell::Command;

/// For each step of each stage, what follows it. `before` tells from a step, and from what follows that, what follows
/// the step before it; `of_both` which of two counts, where a stage goes on in several.
pub fn following<T: Copy>(
    stages: &[Stage<'_>],
    before: impl Fn(&Step<'_>, Option<T>) -> Option<T>,
    of_both: impl Fn(T, T) -> T,
) -> Vec<Vec<Option<T>>> {
    let mut built_on: Vec<Option<T>> = vec![None; stages.len()];
    let mut all = Vec::with_capacity(stages.len());
    // A stage comes after its base, so that what is built on it is known when its turn comes.
    for (index, stage) in stages.iter().enumerate().rev() {
        let mut next = built_on[index];
        let mut of_stage = vec![None; stage.steps.len()];
        for (at, step) in stage.steps.iter().enumerate().rev() {
            of_stage[at] = next;
            next = before(step, next);
        }
        if let Some(base) = stage.base {
            built_on[base] = match (built_on[base], next) {
                (Some(one), Some(other)) => Some(of_both(one, other)),
                (one, other) => one.or(other),
            };
        }
        all.push(of_stage);
    }
    all.reverse();
    all
}

/// Whether a command runs a shell script that is a file.
pub fn runs_script(command: &Command) -> bool {
    let Some(name) = command::name(command) else {
        return command
            .words
            .first()
            .is_some_and(|word| word.literal.is_none());
    };
    let is_shell = matches!(
        name,
        "sh" | "bash" | "dash" | "ash" | "zsh" | "source" | "."
    );
    let mut arguments = command.words.iter().skip(1).map(|word| word.text.as_str());
    name.ends_with(".sh") || is_shell && arguments.any(|word| !word.starts_with('-'))
}

/// The first line of a step's arguments, or its first words. No line number: that of a text which other rules changed.
pub fn shortened(args: &str) -> String {
    const ENOUGH: usize = 60;
    let mut shown = String::new();
    let line = args.lines().next().unwrap_or_default();
    for word in line.trim_end_matches([' ', '\t', '\\']).split_whitespace() {
        if shown.len() + word.len() > ENOUGH {
            return shown + " …";
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    shown
}
