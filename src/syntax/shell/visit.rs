//! All commands of a script in order, each with where it stands and what its failure means.

use super::{Command, CompoundKind, Node, Operator, Script, Statement};

/// A command in its place.
#[derive(Debug, Clone, Copy)]
pub struct CommandAt<'a> {
    /// The command.
    pub command: &'a Command,
    /// Index of the top-level statement that it stands in.
    pub top: usize,
    /// What encloses it most closely; `None` where it is the top-level statement itself.
    pub inside: Option<Inside>,
}

/// What encloses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// A pipeline of two members or more.
    Pipeline,
    /// A compound command.
    Compound(CompoundKind),
    /// A command or process substitution.
    Substitution,
}

impl Script {
    /// Every command, in source order, those inside pipelines, compound commands and substitutions too.
    pub fn commands(&self) -> Vec<CommandAt<'_>> {
        let mut found = Vec::new();
        for (top, statement) in self.statements.iter().enumerate() {
            collect(statement, top, None, &mut found);
        }
        found
    }

    /// The top-level commands, each with the index of its statement.
    pub fn top_commands(&self) -> impl DoubleEndedIterator<Item = (usize, &Command)> {
        self.statements
            .iter()
            .enumerate()
            .filter_map(|(index, statement)| Some((index, statement.command()?)))
    }

    /// Whether the step fails when top-level statement `index` fails: every operator from it to the end is `&&`, or
    /// the shell was told so (`set -e`) and the statement ends its list.
    pub fn failure_fails(&self, index: usize) -> bool {
        let Some(rest) = self.statements.get(index..) else {
            return false;
        };
        let is = |statement: &Statement, wanted: Operator| matches!(statement.operator, Some((operator, _)) if operator == wanted);
        let list = rest
            .iter()
            .take_while(|statement| is(statement, Operator::And));
        let list = list.count();
        let last = &rest[list.min(rest.len() - 1)];
        if is(last, Operator::Or) || is(last, Operator::Background) {
            return false;
        }
        let ends_script = list + 1 >= rest.len();
        ends_script || (list == 0 && self.sets_errexit_before(index))
    }

    /// Whether a top-level `set -e` stands before statement `index`, where no failure before it keeps it from running.
    pub fn sets_errexit_before(&self, index: usize) -> bool {
        self.top_commands()
            .take_while(|(at, _)| *at < index)
            .any(|(at, command)| command.is_errexit() && self.always_runs(at))
    }

    fn always_runs(&self, index: usize) -> bool {
        let before = index.checked_sub(1).map(|before| &self.statements[before]);
        let chained =
            |one: &Statement| matches!(one.operator, Some((Operator::And | Operator::Or, _)));
        !before.is_some_and(chained)
    }
}

impl Statement {
    /// The simple command, where the statement is one.
    pub fn command(&self) -> Option<&Command> {
        match &self.node {
            Node::Command(command) => Some(command),
            _ => None,
        }
    }
}

impl Command {
    /// The name, where it is literal.
    pub fn name(&self) -> Option<&str> {
        self.words.first()?.literal.as_deref()
    }

    /// Whether the command is `set` with `-e` on.
    fn is_errexit(&self) -> bool {
        let options = self.words.iter().filter_map(|word| word.literal.as_deref());
        let on = |option: &str| {
            option == "errexit"
                || option
                    .strip_prefix('-')
                    .is_some_and(|letters| !letters.starts_with('-') && letters.contains('e'))
        };
        self.name() == Some("set") && options.skip(1).any(on)
    }
}

fn collect<'a>(
    statement: &'a Statement,
    top: usize,
    inside: Option<Inside>,
    found: &mut Vec<CommandAt<'a>>,
) {
    match &statement.node {
        Node::Command(command) => {
            found.push(CommandAt {
                command,
                top,
                inside,
            });
            let words = command.assignments.iter().chain(&command.words);
            let words = words.chain(command.redirects.iter().map(|redirect| &redirect.target));
            for inner in words.flat_map(|word| &word.substitutions) {
                collect(inner, top, Some(Inside::Substitution), found);
            }
        }
        Node::Pipeline(members) => {
            for member in members {
                collect(member, top, Some(Inside::Pipeline), found);
            }
        }
        Node::Compound(compound) => {
            for inner in &compound.substitutions {
                collect(inner, top, Some(Inside::Substitution), found);
            }
            for inner in compound.lists.iter().flatten() {
                collect(inner, top, Some(Inside::Compound(compound.kind)), found);
            }
        }
    }
}
