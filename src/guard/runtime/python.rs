//! Python in a stage that is split in two: packages that the builder installs into a prefix of their own and the stage
//! that ships takes over to where they were.

mod homes;

use super::super::{Side, copies, mounts};
use crate::model::{Stage, Step};
use crate::syntax::{Instruction, Keyword};

/// The option that the builder's install gets.
const OPTION: &str = " --prefix=/install";

/// Where the builder puts packages, and where they belong.
const PREFIX: &str = "/install";
const PLACE: &str = "/usr/local";

/// The old text of a RUN where `new` is that with the option behind one `pip install`.
pub(super) fn without_prefix(new: &str) -> Option<String> {
    let (before, behind) = new.split_once(OPTION)?;
    let command = before.rsplit(['&', ';', '|', '(', '{', '\n']).next()?;
    let words: Vec<&str> = command.split_whitespace().collect();
    let installs = match words.as_slice() {
        [.., "install"] => words.iter().any(|word| matches!(*word, "pip" | "pip3")),
        _ => false,
    };
    let is_whole = before.ends_with("install") && behind.starts_with(char::is_whitespace);
    (installs && is_whole && !behind.contains(OPTION)).then(|| format!("{before}{behind}"))
}

/// Whether `COPY --from=` the builder takes over the prefix, and the builder fills it by one step.
pub(super) fn takes_prefix(source: &str, to: &str, builder: &Stage<'_>) -> bool {
    source == PREFIX && to == PLACE && fills_prefix(builder)
}

/// Whether at most one step of the builder installs into the prefix: what two install may not fit together.
pub(super) fn is_settled(builder: &Stage<'_>) -> bool {
    fillers(builder) <= 1
}

fn fills_prefix(builder: &Stage<'_>) -> bool {
    fillers(builder) == 1
}

fn fillers(builder: &Stage<'_>) -> usize {
    let text = |step: &Step<'_>| String::from_utf8_lossy(step.instruction.args_text()).into_owned();
    let texts = builder.steps.iter().map(text);
    texts.map(|text| text.matches(OPTION).count()).sum()
}

/// Whether the stage that ships has Python, its packages and what Python is to run.
pub(super) fn holds(
    (shipped, builder, runtime): (&Stage<'_>, &Stage<'_>, &Stage<'_>),
    after: &Side<'_>,
    carried: &[String],
    (program, arguments): (&str, &[String]),
) -> bool {
    let started_by = match (program, arguments.first().map(String::as_str)) {
        ("poetry" | "pipenv" | "uv", Some("run")) => Some(program),
        _ => None,
    };
    let is_same = super::image(shipped) == super::image(runtime);
    let is_base = is_same || super::is_small(shipped, runtime);
    if !is_base
        || !homes::are_taken_over(builder, carried)
        || !repeats_copies(shipped, (runtime, after), started_by)
    {
        return false;
    }
    let (name, arguments) = match started_by {
        Some(manager) if !has_manager(manager, builder, runtime, carried) => return false,
        Some(_) => {
            let mut words = arguments[1..].iter();
            let Some(name) = words.find(|word| !word.starts_with('-')) else {
                return false;
            };
            (name.as_str(), words.as_slice())
        }
        None => (program, arguments),
    };
    let directory = name.rsplit_once("/bin/");
    let path = directory.and_then(|(directory, _)| runtime.end.absolute(directory));
    let name = match (directory, path) {
        (Some((_, name)), Some(path)) if path == PLACE || carried.contains(&path) => name,
        (Some(_), _) => return false,
        (None, _) => name,
    };
    if started_by == Some("uv") && name.ends_with(".py") {
        return is_copied(runtime, after, name);
    }
    let version = name.strip_prefix("python");
    let is_python = version.is_some_and(|version| {
        version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    if !is_python {
        return !name.contains('/') && !matches!(name, "sh" | "bash" | "env" | "exec");
    }
    let is_option = |word: &&String| word.starts_with('-') && *word != "-m";
    match arguments.iter().find(|word| !is_option(word)) {
        Some(word) if word == "-m" => true,
        Some(file) => is_copied(runtime, after, file),
        None => false,
    }
}

/// Whether the stage that ships has the manager that starts the application: with all packages of the image, or copied
/// from the image of uv.
fn has_manager(
    manager: &str,
    builder: &Stage<'_>,
    runtime: &Stage<'_>,
    carried: &[String],
) -> bool {
    let installs = builder.steps.iter().any(|step| {
        let text = String::from_utf8_lossy(step.instruction.args_text());
        step.instruction.keyword == Keyword::Run && text.contains("pip") && text.contains(manager)
    });
    let copies = runtime
        .steps
        .iter()
        .any(|step| brings_uv(step.instruction) && manager == "uv");
    copies || installs && carried.iter().any(|path| path == PLACE)
}

/// Whether an instruction copies uv from its image.
fn brings_uv(instruction: &Instruction) -> bool {
    let from = instruction
        .flag("from")
        .and_then(|flag| flag.value.as_deref());
    from.is_some_and(|from| from.starts_with("ghcr.io/astral-sh/uv"))
}

/// Whether a step of the stage puts something where this file is, or above it.
fn is_copied(runtime: &Stage<'_>, after: &Side<'_>, file: &str) -> bool {
    let Some(path) = runtime.end.absolute(file) else {
        return false;
    };
    let mut steps = runtime.steps.iter();
    steps.any(|step| {
        matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add)
            && copies::destination((step, after)).is_some_and(|(to, _)| mounts::covers(&to, &path))
    })
}

/// Whether all that was copied into the old stage is copied into the one that ships, but for uv where nothing starts it.
fn repeats_copies(
    shipped: &Stage<'_>,
    (runtime, after): (&Stage<'_>, &Side<'_>),
    started_by: Option<&str>,
) -> bool {
    let is_copy = |step: &&Step<'_>| {
        let instruction = step.instruction;
        let is_needed = started_by == Some("uv") || !brings_uv(instruction);
        matches!(instruction.keyword, Keyword::Copy | Keyword::Add) && is_needed
    };
    let text = |step: &Step<'_>| step.instruction.args_text().to_vec();
    let new: Vec<Vec<u8>> = runtime.steps.iter().filter(is_copy).map(text).collect();
    let mut old = shipped.steps.iter().enumerate();
    old.all(|(at, step)| {
        let later = &shipped.steps[at + 1..];
        !is_copy(&step)
            || new.contains(&text(step))
            || is_brought_later((step, later), (runtime, after))
    })
}

/// Whether a COPY of files by name is one of files that a later COPY of the whole directory brings to the same place, and
/// the stage that ships runs nothing of what stood between them.
fn is_brought_later(
    (step, later): (&Step<'_>, &[Step<'_>]),
    (runtime, after): (&Stage<'_>, &Side<'_>),
) -> bool {
    let is_plain = |one: &Instruction| {
        one.keyword == Keyword::Copy && one.flags.is_empty() && one.heredocs.is_empty()
    };
    let is_whole = |step: &Step<'_>| {
        let sources = copies::sources(step.instruction);
        is_plain(step.instruction) && matches!(sources[..], ["." | "./"])
    };
    let is_said = |step: &Step<'_>| {
        let (keyword, text) = (step.instruction.keyword, step.instruction.args_text());
        let mut said = runtime.steps.iter().map(|one| one.instruction);
        said.any(|one| one.keyword == keyword && one.args_text() == text)
    };
    let Some(at) = later
        .iter()
        .position(|step| is_whole(step) && is_said(step))
    else {
        return false;
    };
    let mut between = later[..at].iter();
    let runs = between.any(|step| step.instruction.keyword == Keyword::Run && is_said(step));
    let sources = copies::sources(step.instruction);
    let place = copies::destination((&later[at], after)).map(|(place, _)| place);
    let to = copies::destination((step, after));
    let is_same = to.is_some_and(|(to, is_directory)| is_directory && place == Some(to));
    is_plain(step.instruction) && !runs && is_same && sources.into_iter().all(is_file)
}

/// Whether a source is a file by its name, in the directory itself: of another directory the contents would be brought.
fn is_file(source: &str) -> bool {
    let name = source.strip_prefix("./").unwrap_or(source);
    let has_ending = name.find('.').is_some_and(|dot| dot > 0);
    (has_ending || name == "Pipfile") && !name.contains(['/', '*', '?', '[', '$', '\\'])
}
