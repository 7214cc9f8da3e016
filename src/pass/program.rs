//! What CMD and ENTRYPOINT start. A program that only starts the rest of its words (`tini`) is looked through.

use super::PassContext;
use super::known_programs;
use super::runs::Stage;
use crate::model;
use crate::syntax::shell;
use crate::syntax::{Args, Instruction, Keyword};

/// What the container starts.
pub struct Program {
    /// As it is written.
    pub name: String,
    /// The words behind it, those of CMD behind ENTRYPOINT too.
    pub arguments: Vec<String>,
    /// Whether a shell starts it.
    pub by_shell: bool,
    /// The package of the program that starts it and passes signals on.
    pub init: Option<&'static str>,
}

impl Program {
    /// The program of the stage.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn of(cx: &PassContext<'_>, stage: &Stage<'_>) -> Result<Self, String> {
        let last = |keyword| {
            let mut steps = stage.model.steps.iter().rev();
            steps.find(|step| step.instruction.keyword == keyword)
        };
        let entrypoint = last(Keyword::Entrypoint);
        let command = last(Keyword::Cmd);
        let first = entrypoint.or(command);
        let first = first.ok_or("neither CMD nor ENTRYPOINT says what runs")?;
        let mut program = started(cx, first)?;
        if let Some(command) = entrypoint.and(command) {
            program.arguments.extend(arguments(command.instruction));
        }
        Ok(program.behind_init())
    }

    /// What `tini -- PROGRAM` starts, where that is known; else the program itself.
    fn behind_init(self) -> Self {
        let init = known_programs::init(&self.name);
        let start = init.and_then(|init| init.starts(&self.arguments));
        let (Some(init), Some(start)) = (init, start) else {
            return self;
        };
        let mut words = self.arguments.into_iter().skip(start);
        let started = Self {
            name: words.next().unwrap_or(self.name),
            arguments: words.collect(),
            ..self
        };
        let started = Self {
            init: Some(&init.package),
            ..started
        };
        started.within_shell()
    }

    /// What `sh -c TEXT` starts, where that is one plain program; else the program itself.
    pub fn within_shell(self) -> Self {
        let is_shell = matches!(self.name.as_str(), "sh" | "/bin/sh" | "bash" | "/bin/bash");
        let [option, text, ..] = self.arguments.as_slice() else {
            return self;
        };
        let words = shell::parse_text(text).and_then(|script| plain_words(&script));
        let words = words.filter(|_| is_shell && option == "-c");
        match words.and_then(Self::of_words) {
            Some(program) => Self {
                init: self.init,
                ..program
            },
            None => self,
        }
    }

    /// The absolute paths at which the program may stand in a stage that ends in this state, the first one first.
    pub fn places(&self, stage: &model::Stage<'_>) -> Vec<String> {
        if self.name.contains('/') {
            return stage.end.absolute(&self.name).into_iter().collect();
        }
        let search = stage.end.variable("PATH");
        let search = search.and_then(|path| path.value.as_deref());
        let directories = search.into_iter().flat_map(|search| search.split(':'));
        directories
            .map(|directory| format!("{directory}/{}", self.name))
            .collect()
    }

    /// The program that a shell starts by these words.
    fn of_words(mut words: Vec<String>) -> Option<Self> {
        if words.first().is_some_and(|word| word == "exec") {
            words.remove(0);
        }
        let mut words = words.into_iter();
        Some(Self {
            name: words.next()?,
            arguments: words.collect(),
            by_shell: true,
            init: None,
        })
    }
}

fn started(cx: &PassContext<'_>, step: &model::Step<'_>) -> Result<Program, String> {
    let instruction = step.instruction;
    let keyword = instruction.keyword;
    if let Args::Exec(words) = &instruction.args {
        let mut words = words.iter().map(|word| word.text.clone());
        let name = words.next().ok_or_else(|| format!("{keyword} is empty"))?;
        return Ok(Program {
            name,
            arguments: words.collect(),
            by_shell: false,
            init: None,
        });
    }
    let words = shell_words(cx, instruction);
    let words = words
        .ok_or_else(|| format!("{keyword} starts a shell that does more than start a program"))?;
    Program::of_words(words).ok_or_else(|| format!("{keyword} is empty"))
}

/// The words that a CMD puts behind those of an ENTRYPOINT.
fn arguments(command: &Instruction) -> Vec<String> {
    match command.args {
        Args::Shell => {
            let text = String::from_utf8_lossy(command.args_text()).into_owned();
            vec!["/bin/sh".to_owned(), "-c".to_owned(), text]
        }
        _ => {
            let words = command.words().iter();
            words.map(|word| word.text.clone()).collect()
        }
    }
}

/// The words of the one plain command that a shell form is; those that the shell expands as they are written.
fn shell_words(cx: &PassContext<'_>, instruction: &Instruction) -> Option<Vec<String>> {
    let text = shell::text_of(instruction, cx.text)?;
    plain_words(&shell::parse(&text)?)
}

fn plain_words(script: &shell::Script) -> Option<Vec<String>> {
    let [statement] = script.statements.as_slice() else {
        return None;
    };
    let command = statement.command()?;
    if !command.assignments.is_empty() || statement.operator.is_some() {
        return None;
    }
    let words = command.words.iter();
    Some(
        words
            .map(|word| word.literal.clone().unwrap_or_else(|| word.text.clone()))
            .collect(),
    )
}
