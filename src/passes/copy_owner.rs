//! A `chown` or `chmod` of what was just copied becomes `COPY --chown` or `--chmod`.
//!
//! Looks at the COPYs directly in front of a RUN. Never touches one whose files the command does not all name, nor a
//! folder that holds more than what was copied.

mod folder;

use serde::Deserialize;

use crate::context::path::is_at_or_below;
use crate::model;
use crate::pass::list::remove_statement;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext, landed};
use crate::syntax::shell::{Command, CommandAt, Operator, Script};
use crate::syntax::{Instruction, Item, Keyword};
use crate::text::{Edit, Span};
use folder::Folder;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CopyOwner {
    /// `chown` or `chmod`.
    command: String,
    /// The flag of COPY that does the same.
    flag: String,
    /// What stands for the mode that is given to a file of the context, and that mode.
    symbolic: Vec<String>,
    mode: String,
    /// Folders that base images fill, or that packages do.
    system: Vec<String>,
}

/// What the command asks for.
struct Change {
    /// The owner or mode as it is written.
    value: String,
    recursive: bool,
    /// Absolute.
    paths: Vec<String>,
}

/// A COPY in front of the RUN.
struct Copied<'a> {
    instruction: &'a Instruction,
    /// Absolute.
    destination: String,
    /// Where each file may land; `None` where that is not known.
    files: Option<Vec<Vec<String>>>,
    /// Whether the context shows these files.
    seen: bool,
}

impl Pass for CopyOwner {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            for (index, step) in stage.steps.iter().enumerate() {
                let Some(script) = step.script() else {
                    continue;
                };
                let ours = script.commands().into_iter();
                for at in ours.filter(|at| self.is_ours(at.command)) {
                    match self.fix(cx, stage, index, (script, at)) {
                        Ok(None) => continue,
                        Ok(Some((first, edits))) => {
                            let shown = shown_span(first).cover(shown_span(step.instruction));
                            let message =
                                format!("`{}` writes what was copied once more", self.command);
                            let title = format!("set it with `COPY {}`", self.flag);
                            out.report(shown, message, cx.fix(title, edits));
                        }
                        Err(reason) => out.decline(at.command.span, reason),
                    }
                    break;
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        vec![&self.command]
    }
}

impl CopyOwner {
    fn is_ours(&self, command: &Command) -> bool {
        own_words(command).next().flatten() == Some(self.command.as_str())
    }

    /// The edits, and the first instruction that they change; nothing where no COPY stands in front.
    fn fix<'a>(
        &self,
        cx: &PassContext<'a>,
        stage: &Stage<'a>,
        index: usize,
        (script, at): (&Script, CommandAt<'_>),
    ) -> Result<Option<(&'a Instruction, Vec<Edit>)>, String> {
        let run = &stage.steps[index];
        let copies = [Keyword::Copy, Keyword::Add];
        let start = stage.steps[..index]
            .iter()
            .rposition(|step| !copies.contains(&step.instruction.keyword));
        let start = start.map_or(0, |before| before + 1);
        if start == index {
            return Ok(None);
        }
        let copies = &stage.model.steps[start..index];
        let is_first = at.top == 0 && at.inside.is_none();
        let change = match self.change(run, at.command) {
            Ok(Some(change)) => change,
            Err(reason) if is_first => return Err(reason),
            _ => return Ok(None),
        };
        let copied: Option<Vec<Copied<'_>>> = copies.iter().map(|step| copied(cx, step)).collect();
        let copied = copied.ok_or("where a COPY before it puts its files is not known")?;
        let chosen: Vec<&Copied<'_>> = copied.iter().filter(|one| change.touches(one)).collect();
        if chosen.is_empty() {
            return Ok(None);
        }
        if chosen
            .iter()
            .any(|one| one.instruction.keyword == Keyword::Add)
        {
            return Err("ADD may fetch or unpack what it brings".to_owned());
        }
        if !is_first || !is_followed_by_and(script) {
            return Err(format!(
                "`{}` is not the first of a list of `&&`",
                self.command
            ));
        }
        if !stage.ships {
            return Err("this stage does not ship".to_owned());
        }
        if !run.instruction.flags.is_empty() || !run.instruction.heredocs.is_empty() {
            return Err("the RUN has mounts or here-documents".to_owned());
        }
        let is_symbolic = self.symbolic.contains(&change.value);
        if !change.recursive && !is_symbolic && !chosen.iter().all(|one| names_a_file(one)) {
            return Err("what is copied may be a folder".to_owned());
        }
        let value = self.value(cx, &change, &chosen)?;
        let keeps_folder = match change.recursive {
            true => {
                let [path] = change.paths.as_slice() else {
                    return Err("several folders are named".to_owned());
                };
                let folder = Folder {
                    path,
                    system: &self.system,
                };
                let by_copy = chosen.iter().any(|one| one.destination == *path);
                folder.made_by_workdir(cx, stage, start, by_copy)?
            }
            false => {
                are_the_files(&change, &chosen)?;
                false
            }
        };
        let flag = format!(" {}={value}", self.flag);
        let mut edits: Vec<Edit> = chosen
            .iter()
            .map(|one| add_flag(one.instruction, &flag))
            .collect();
        match keeps_folder && self.flag == "--chown" {
            true => edits.extend(without_recursion(at.command)),
            false => edits.extend(remove_command(cx, run.instruction, script, copies)?),
        }
        Ok(Some((chosen[0].instruction, edits)))
    }

    /// What the command asks for; `None` where it is about nothing that can be named.
    fn change(&self, run: &Step<'_>, command: &Command) -> Result<Option<Change>, String> {
        if !command.assignments.is_empty() || !command.redirects.is_empty() {
            return Err("the command redirects, or sets variables".to_owned());
        }
        let mut words = Vec::new();
        let mut recursive = false;
        for word in own_words(command).skip(1) {
            let Some(word) = word else {
                return Err("which files the command is about is for the shell to say".to_owned());
            };
            match word {
                "-R" | "--recursive" => recursive = true,
                flag if flag.starts_with('-') => {
                    return Err(format!("`{flag}` has no counterpart in COPY"));
                }
                word => words.push(word),
            }
        }
        let Some((value, paths)) = words.split_first() else {
            return Ok(None);
        };
        let paths: Option<Vec<String>> =
            paths.iter().map(|path| run.before.absolute(path)).collect();
        let paths = paths.ok_or("the working directory is not known")?;
        let value = (*value).to_owned();
        Ok(Some(Change {
            value,
            recursive,
            paths,
        }))
    }

    /// The value of the flag.
    fn value(
        &self,
        cx: &PassContext<'_>,
        change: &Change,
        chosen: &[&Copied<'_>],
    ) -> Result<String, String> {
        let name = self.flag.trim_start_matches('-');
        if chosen
            .iter()
            .any(|one| one.instruction.flag(name).is_some())
        {
            return Err(format!("the COPY has `{}` already", self.flag));
        }
        let mut words = chosen.iter().flat_map(|one| one.instruction.words());
        if words.any(|word| word.text.contains(['"', '\''])) {
            return Err("the paths of the COPY are quoted".to_owned());
        }
        let value = &change.value;
        if self.flag == "--chown" {
            if chosen
                .iter()
                .any(|one| one.instruction.flag("link").is_some())
            {
                return Err("with `--link` names of users are not known".to_owned());
            }
            return match is_owner_and_group(value) {
                true => Ok(value.clone()),
                false => Err(format!("`{value}` does not name both owner and group")),
            };
        }
        let old = cx
            .file
            .directives()
            .find(|one| one.name == "syntax" && is_old_frontend(&one.value));
        if let Some(syntax) = old {
            return Err(format!("`{}` may not know `--chmod`", syntax.value));
        }
        let is_octal =
            matches!(value.len(), 3 | 4) && value.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let is_symbolic = !change.recursive && self.symbolic.contains(value);
        match is_octal {
            true if change.recursive && value.trim_start_matches('0') != self.mode => {
                Err(format!("`{value}` is not the mode that a new folder gets"))
            }
            true => Ok(value.clone()),
            false if !is_symbolic => {
                Err(format!("`{value}` depends on the mode that the file has"))
            }
            false
                if chosen
                    .iter()
                    .any(|one| one.instruction.flag("from").is_some()) =>
            {
                Err(format!(
                    "`{value}` depends on the mode that the file of the other stage has"
                ))
            }
            false => Ok(self.mode.clone()),
        }
    }
}

impl Change {
    /// Whether the command names something of what was copied.
    fn touches(&self, copied: &Copied<'_>) -> bool {
        let mut places = copied.files.iter().flatten().flatten();
        match self.recursive {
            true => {
                let mut paths = self.paths.iter();
                paths.any(|path| is_at_or_below(&copied.destination, path))
            }
            false => places.any(|place| self.paths.contains(place)),
        }
    }
}

fn is_followed_by_and(script: &Script) -> bool {
    let first = script.statements.first();
    let operator = first.and_then(|first| first.operator);
    matches!(operator, None | Some((Operator::And, _))) && first.is_some_and(|first| !first.negated)
}

/// The literal words of a command, `sudo` left out; `None` for one that is not literal.
fn own_words(command: &Command) -> impl Iterator<Item = Option<&str>> {
    let words = command.words.iter().map(|word| word.literal.as_deref());
    words.skip_while(|word| *word == Some("sudo"))
}

fn copied<'a>(cx: &PassContext<'_>, step: &model::Step<'a>) -> Option<Copied<'a>> {
    let instruction = step.instruction;
    let (last, sources) = instruction.words().split_last()?;
    let expand = |text: &str| step.before.expand(text, cx.file.escape.byte()).ok();
    let written = expand(&last.text)?;
    let destination = step.before.absolute(&written)?;
    let files = landed::files(cx, step).filter(|files| !files.is_empty());
    let files: Option<Vec<Vec<String>>> =
        files.map(|files| files.into_iter().map(|(_, places)| places).collect());
    let seen = files.is_some();
    // What is not seen is taken for a file with the name of its source.
    let by_name = || {
        let names = sources.iter().map(|source| {
            let source = expand(&source.text).filter(|source| !source.contains(['*', '?', '[']))?;
            let name = source
                .rsplit('/')
                .next()
                .filter(|name| !matches!(*name, "" | "." | ".."))?;
            let is_folder = written.ends_with('/') || matches!(written.as_str(), "." | "..");
            let inside = format!("{}/{name}", destination.trim_end_matches('/'));
            Some(match is_folder {
                true => vec![inside],
                false => vec![destination.clone(), inside],
            })
        });
        names.collect()
    };
    let is_folder = written.ends_with('/');
    let (files, seen) = match instruction.heredocs.len() {
        0 => (files.or_else(by_name), seen),
        1 if sources.len() == 1 && !is_folder => (Some(vec![vec![destination.clone()]]), true),
        _ => (None, false),
    };
    Some(Copied {
        instruction,
        destination,
        files,
        seen,
    })
}

/// Whether each path is a file that was copied, and each file that was copied is named.
fn are_the_files(change: &Change, chosen: &[&Copied<'_>]) -> Result<(), String> {
    let mut named: Vec<&String> = Vec::new();
    for one in chosen {
        let files = one
            .files
            .as_ref()
            .ok_or("which files were copied is not known")?;
        for places in files {
            let path = change.paths.iter().find(|path| places.contains(path));
            let path = path.ok_or("the COPY brings more than the command names")?;
            named.push(path);
        }
    }
    match change.paths.iter().find(|path| !named.contains(path)) {
        None => Ok(()),
        Some(other) => Err(format!("`{other}` was not copied just before")),
    }
}

/// Whether what is copied is certainly no folder: the context shows it, or its name has an ending.
fn names_a_file(copied: &Copied<'_>) -> bool {
    let sources = copied.instruction.words().split_last();
    let mut sources = sources.map_or(&[][..], |(_, sources)| sources).iter();
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    copied.seen || sources.all(|source| name(&source.text).trim_start_matches('.').contains('.'))
}

/// Two names or numbers, with a colon between.
fn is_owner_and_group(value: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    value
        .split_once(':')
        .is_some_and(|(owner, group)| is_name(owner) && is_name(group))
}

/// Whether a frontend that a file asks for is older than the flag, which came with 1.2.
fn is_old_frontend(name: &str) -> bool {
    let tag = name.split_once(':').map_or("", |(_, tag)| tag);
    matches!(
        tag.split(['.', '-']).collect::<Vec<_>>().as_slice(),
        ["1", "0" | "1", ..] | ["experimental", ..]
    )
}

/// The flag stands behind the others.
fn add_flag(copy: &Instruction, flag: &str) -> Edit {
    let last = copy
        .flags
        .last()
        .map_or(copy.keyword_span, |last| last.span);
    Edit::insert(last.end, flag)
}

/// `-R` goes: below the folder everything has its owner, and the folder still needs it.
fn without_recursion(command: &Command) -> Vec<Edit> {
    let pairs = command.words.windows(2);
    let flags = pairs.filter(|pair| matches!(pair[1].text.as_str(), "-R" | "--recursive"));
    flags
        .map(|pair| Edit::delete(Span::new(pair[0].span.end, pair[1].span.end)))
        .collect()
}

/// The command leaves its list, or the RUN the file, with the blank lines above it.
fn remove_command(
    cx: &PassContext<'_>,
    run: &Instruction,
    script: &Script,
    copies: &[model::Step<'_>],
) -> Result<Vec<Edit>, String> {
    if script.statements.len() > 1 {
        let edits = remove_statement(run, script, 0, cx.text);
        return edits.ok_or_else(|| "a comment stands behind the command".to_owned());
    }
    if !run.comments.is_empty() {
        return Err("a comment stands inside the RUN that would go".to_owned());
    }
    let Some(last) = copies.last() else {
        return Err("no COPY stands before it".to_owned());
    };
    let between = Span::new(last.instruction.span.end, run.span.start);
    let is_comment = |item: &Item| matches!(item, Item::Comment(span) if between.contains(*span));
    if cx.file.items.iter().any(is_comment) {
        return Err("a comment stands above the RUN that would go".to_owned());
    }
    let ends_file = !run.span.of(cx.text).ends_with(b"\n");
    let start = match ends_file {
        true => last.instruction.args_span.end,
        false => between.start,
    };
    Ok(vec![Edit::delete(Span::new(start, run.span.end))])
}
