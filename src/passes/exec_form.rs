//! `CMD program words` becomes `CMD ["program", "words"]`, and ENTRYPOINT likewise: the program starts without a shell.
//!
//! Never where the shell does anything but start one program, nor where the words would become the arguments of
//! something else than they were.

use serde::Deserialize;

use crate::model::{Base, Stage, Step};
use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext, landed};
use crate::syntax::shell::{self, Command, Word};
use crate::syntax::{Args, Instruction, Keyword};
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExecForm {
    /// Words that only a shell knows, as first word.
    builtins: Vec<String>,
    /// Programs that, as ENTRYPOINT, run the command that they are given.
    runners: Vec<String>,
    /// Families of base images whose ENTRYPOINT does something else when it sees the program's name.
    discerning: Vec<String>,
}

impl Pass for ExecForm {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in &cx.model.stages {
            for keyword in [Keyword::Cmd, Keyword::Entrypoint] {
                let all = stage
                    .steps
                    .iter()
                    .filter(|step| step.instruction.keyword == keyword);
                let mut all = all.peekable();
                while let Some(step) = all.next() {
                    let instruction = step.instruction;
                    if !matches!(instruction.args, Args::Shell)
                        || instruction.args_text().is_empty()
                    {
                        continue;
                    }
                    let edits = match all.peek() {
                        Some(_) => Err(format!("a later {keyword} of the stage takes its place")),
                        None => self.edits(cx, stage, step),
                    };
                    let span = shown_span(instruction);
                    match edits {
                        Err(reason) => out.decline(span, reason),
                        Ok(edits) => {
                            let fix = cx.fix("write the exec form", edits);
                            out.report(
                                span,
                                format!("{keyword} starts a shell that starts the program"),
                                fix,
                            );
                        }
                    }
                }
            }
        }
    }
}

impl ExecForm {
    fn edits(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        step: &Step<'_>,
    ) -> Result<Vec<Edit>, String> {
        let instruction = step.instruction;
        if !stage.ships {
            return Err("this stage does not ship".to_owned());
        }
        if step.before.shell().is_some() {
            return Err("SHELL says which shell runs it".to_owned());
        }
        if !cx.model.is_sh(step) {
            return Err("it is not run by a Bourne shell".to_owned());
        }
        if instruction.args_text().starts_with(b"[") {
            return Err("the JSON array is not valid: a shell gets it as it stands".to_owned());
        }
        let text = shell::text_of(instruction, cx.text);
        let script = text.and_then(|text| shell::parse(&text));
        let script = script.ok_or("the shell text cannot be read")?;
        let [statement] = script.statements.as_slice() else {
            return Err("the shell runs several commands".to_owned());
        };
        let command = statement
            .command()
            .filter(|_| !statement.negated && statement.operator.is_none());
        let command = command.ok_or("the shell runs more than a plain command")?;
        let words = self.words(cx, instruction, command)?;
        self.entrypoint(cx, stage, instruction.keyword)?;
        if let Some(program) = words.first() {
            is_started_by_the_kernel(cx, stage, &program.1)?;
        }
        let first = command
            .words
            .first()
            .map_or(instruction.args_span.start, |word| word.span.start);
        Ok(in_exec_form(first, &words))
    }

    /// The words of the program as the shell hands them over.
    fn words<'c>(
        &self,
        cx: &PassContext<'_>,
        instruction: &Instruction,
        command: &'c Command,
    ) -> Result<Vec<(&'c Word, String)>, String> {
        if !command.assignments.is_empty() || !command.redirects.is_empty() {
            return Err("the shell sets variables or redirects".to_owned());
        }
        let mut words = Vec::new();
        for word in &command.words {
            let Some(value) = &word.literal else {
                return Err(format!("`{}` is for the shell to expand", word.text));
            };
            let is_plain = |c: char| !c.is_control() && !matches!(c, '\\' | '\u{1a}' | '\u{fffd}');
            if !value.chars().all(is_plain) {
                return Err("a word has a backslash, or bytes that are not UTF-8".to_owned());
            }
            let is_cut = |comment: &Span| word.span.contains(*comment);
            if instruction.comments.iter().any(is_cut) {
                return Err("a comment stands inside a word".to_owned());
            }
            words.push((word, value.clone()));
        }
        let runs_in_place = words.len() > 1 && words[0].1 == "exec" && !words[1].1.starts_with('-');
        if runs_in_place {
            let gap = Span::new(words[0].0.span.end, words[1].0.span.start);
            if instruction
                .comments
                .iter()
                .any(|comment| gap.contains(*comment))
            {
                return Err("a comment stands behind `exec`".to_owned());
            }
            words.remove(0);
        }
        let Some((last, (program, name))) = words.last().zip(words.first()) else {
            return Err("there is no program".to_owned());
        };
        if self.builtins.contains(name) {
            return Err(format!("`{name}` is a command of the shell itself"));
        }
        let behind = Span::new(last.0.span.end, instruction.args_span.end).of(cx.text);
        match behind.is_empty() || program.span.is_empty() {
            true => Ok(words),
            false => Err("a comment of the shell stands behind the command".to_owned()),
        }
    }

    /// Whether the words mean to ENTRYPOINT and CMD together what they meant before.
    fn entrypoint(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        keyword: Keyword,
    ) -> Result<(), String> {
        if keyword == Keyword::Entrypoint {
            let is_set = |stage: &Stage<'_>| {
                stage
                    .steps
                    .iter()
                    .any(|step| step.instruction.keyword == Keyword::Cmd)
            };
            let mut stages = cx.model.stages.iter();
            let built_on = stages
                .any(|other| is_set(other) && chain(cx, other).any(|one| one.index == stage.index));
            return match built_on {
                true => Err("CMD, which it ignores, would become its arguments".to_owned()),
                false => Ok(()),
            };
        }
        let steps = chain(cx, stage).flat_map(|stage| stage.steps.iter().rev());
        let mut steps = steps.map(|step| step.instruction);
        let Some(entrypoint) = steps.find(|one| one.keyword == Keyword::Entrypoint) else {
            let family = stage.end.base().family;
            let discerns = family.filter(|family| self.discerning.contains(&family.name));
            return match discerns {
                None => Ok(()),
                Some(family) => Err(format!(
                    "the ENTRYPOINT of `{}` looks at the program's name",
                    family.name
                )),
            };
        };
        if !entrypoint.is_exec() {
            return Err("ENTRYPOINT is in shell form, which ignores CMD".to_owned());
        }
        let words: Vec<&str> = entrypoint
            .words()
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        let is_runner = |program: &str| {
            let name = program.rsplit('/').next();
            self.runners
                .iter()
                .any(|runner| Some(runner.as_str()) == name)
        };
        match words.split_first() {
            None => Ok(()),
            Some((program, options))
                if is_runner(program) && options.iter().all(|one| one.starts_with('-')) =>
            {
                Ok(())
            }
            Some((program, _)) => Err(format!(
                "`{program}` would get other arguments: it is the ENTRYPOINT"
            )),
        }
    }
}

/// A stage and those that it is built on.
fn chain<'a>(cx: &'a PassContext<'_>, stage: &'a Stage<'a>) -> impl Iterator<Item = &'a Stage<'a>> {
    std::iter::successors(Some(stage), |stage| match stage.base {
        Base::Stage(base) => cx.model.stages.get(base),
        _ => None,
    })
}

/// A script without `#!` is started by a shell only. What the context does not show is taken for a program, unless its
/// name says that it is a script.
fn is_started_by_the_kernel(
    cx: &PassContext<'_>,
    stage: &Stage<'_>,
    program: &str,
) -> Result<(), String> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let path = program
        .contains('/')
        .then(|| stage.end.absolute(program))
        .flatten();
    let is_it = |place: &String| match &path {
        Some(path) => place == path,
        None => place.rsplit('/').next() == Some(name),
    };
    let steps = chain(cx, stage).flat_map(|stage| stage.steps.iter().rev());
    let brought = steps.filter_map(|step| landed::files(cx, step)).flatten();
    let found = brought
        .into_iter()
        .find(|(_, places)| places.iter().any(is_it));
    let Some((file, _)) = found else {
        return match name.ends_with(".sh") {
            true => Err(format!("whether `{program}` begins with `#!` is not known")),
            false => Ok(()),
        };
    };
    let head = cx.context.read(&file, 4).unwrap_or_default();
    match head.starts_with(b"#!") || head.starts_with(b"\x7fELF") {
        true => Ok(()),
        false => Err(format!("`{file}` has no `#!`: only a shell starts it")),
    }
}

/// Brackets, quotes and commas around the words, which stay where they are.
fn in_exec_form(start: u32, words: &[(&Word, String)]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut from = start;
    for (index, (word, value)) in words.iter().enumerate() {
        let open = if index == 0 { "[" } else { "" };
        let close = if index + 1 == words.len() { "]" } else { "," };
        let quoted = value.replace('"', "\\\"");
        let span = Span::new(
            if index == 0 { from } else { word.span.start },
            word.span.end,
        );
        edits.push(Edit::replace(span, format!("{open}\"{quoted}\"{close}")));
        from = word.span.end;
    }
    edits
}
