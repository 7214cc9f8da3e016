//! An archive that a step downloads and unpacks is deleted behind its last use in the step. Never by a name that may
//! mean another file there, and never where something later names it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pass::layout::insert_command;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext, command, download, ending, later};
use crate::syntax::shell::{Command, Operator, Script, Statement};
use crate::text::Span;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArchiveCleanup {
    unpack: Vec<Unpack>,
}

/// A command that unpacks an archive.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unpack {
    name: String,
    /// One of these it must be told; none: it does nothing else.
    #[serde(default)]
    words: Vec<String>,
    /// The same as a letter of its first word, or of a cluster of flags.
    letter: Option<char>,
}

/// An archive that the step downloads at one statement and unpacks at another.
struct Archive {
    name: String,
    got: usize,
    unpacked: usize,
}

/// A step, and where it stands.
struct Place<'a> {
    stage: &'a Stage<'a>,
    at: usize,
    script: &'a Script,
}

impl Pass for ArchiveCleanup {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            for (at, step) in stage.steps.iter().enumerate() {
                if let Some(script) = step.script() {
                    self.look(cx, &Place { stage, at, script }, out);
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        self.unpack.iter().map(|one| one.name.as_str()).collect()
    }
}

impl ArchiveCleanup {
    fn look(&self, cx: &PassContext<'_>, place: &Place<'_>, out: &mut Findings) {
        let mut leftovers: BTreeMap<usize, Vec<Archive>> = BTreeMap::new();
        for archive in self.archives(place.script) {
            let span = place.script.statements[archive.got].span;
            let statements = &place.script.statements;
            if statements[archive.got..]
                .iter()
                .any(|one| may_delete(one, &archive, place, cx))
            {
                continue;
            }
            match decline(cx, place, &archive) {
                Some(reason) => out.decline(span, reason),
                None => {
                    let last = last_use(cx, place.script, &archive);
                    leftovers.entry(last).or_default().push(archive);
                }
            }
        }
        for (last, archives) in leftovers {
            report(cx, place, last, &archives, out);
        }
    }

    /// The archives that the step downloads, and unpacks in a later command of the same list.
    fn archives(&self, script: &Script) -> Vec<Archive> {
        let mut archives = Vec::new();
        for (got, command) in script.top_commands() {
            for name in download::files(command) {
                let mut behind = script.top_commands().filter(|(at, _)| *at > got);
                if let Some((unpacked, _)) = behind.find(|(_, one)| self.unpacks(one, &name)) {
                    archives.push(Archive {
                        name,
                        got,
                        unpacked,
                    });
                }
            }
        }
        archives
    }

    fn unpacks(&self, command: &Command, file: &str) -> bool {
        let Some(name) = command::name(command) else {
            return false;
        };
        let mut texts = command.words.iter().skip(1).map(|word| word.text.as_str());
        let named = texts.clone().any(|text| {
            let value = text.strip_prefix("--file=").unwrap_or(text);
            value.strip_prefix("./").unwrap_or(value) == file
        });
        let told = |unpack: &Unpack| {
            let letter = |text: &str| {
                let letters = text.strip_prefix('-').unwrap_or(text);
                let is_cluster = letters.chars().all(|ch| ch.is_ascii_alphabetic());
                is_cluster && unpack.letter.is_some_and(|one| letters.contains(one))
            };
            let bare = unpack.words.is_empty() && unpack.letter.is_none();
            bare || texts.any(|text| letter(text) || unpack.words.iter().any(|one| one == text))
        };
        let unpack = self.unpack.iter().find(|one| one.name == name);
        named && unpack.is_some_and(told)
    }
}

/// Why the archive must stay, or stays without harm.
fn decline(cx: &PassContext<'_>, place: &Place<'_>, archive: &Archive) -> Option<String> {
    let step = &place.stage.steps[place.at];
    if !place.stage.ships {
        return Some("this stage does not ship".to_owned());
    }
    if let Some(reason) = ending::obstacle(step, place.script, &[]) {
        return Some(reason.to_owned());
    }
    let statements = &place.script.statements;
    let last = last_use(cx, place.script, archive);
    if let Some(reason) = unclear(archive, &statements[archive.got..=last]) {
        return Some(reason);
    }
    for statement in &statements[archive.got..=last] {
        let name = statement
            .command()
            .and_then(command::name)
            .unwrap_or_default();
        if ["mv", "cp", "ln", "install"].contains(&name) && names(cx, statement.span, archive) {
            return Some(format!("`{name}` names `{}` as well", archive.name));
        }
    }
    let joined = |one: &Statement| matches!(one.operator, Some((Operator::And, _)) | None);
    let sure = statements[archive.got..=last].iter().all(joined);
    if !sure && !place.script.sets_errexit_before(archive.got) {
        return Some("a command may fail before it, and the step goes on".to_owned());
    }
    let rest = place.stage.steps[place.at + 1..].iter();
    let stages = cx.stages.iter().skip(place.stage.model.index + 1);
    let mut rest = rest.chain(stages.flat_map(|stage| &stage.steps));
    let user = rest.find(|step| names(cx, shown_span(step.instruction), archive))?;
    let user = later::shortened(&cx.shown(shown_span(user.instruction)));
    Some(format!("`{user}`, which follows, names `{}`", archive.name))
}

/// Why the archive's name may mean another file behind these statements, the first of which downloads it.
fn unclear(archive: &Archive, statements: &[Statement]) -> Option<String> {
    let name = &archive.name;
    let varies = name.contains('$');
    if !is_plain(name) {
        return Some(format!("`{name}` may expand to another name"));
    }
    let (got, rest) = statements.split_first()?;
    let first = got.command().and_then(|command| command.words.first());
    if first.is_some_and(|word| word.text == "sudo") {
        return Some(format!("`{name}` belongs to another user"));
    }
    for statement in rest {
        let Some(command) = statement.command() else {
            return Some(format!(
                "a compound command stands between download and use of `{name}`"
            ));
        };
        match command::name(command) {
            Some("cd" | "pushd" | "popd") if name.starts_with('/') && !varies => {}
            Some(moves @ ("cd" | "pushd" | "popd")) => {
                return Some(format!("after `{moves}`, `{name}` is another file"));
            }
            Some("eval" | "." | "source" | "exec" | "read" | "export" | "unset" | "set") | None => {
                return Some(format!(
                    "a command behind the download may change what `{name}` means"
                ));
            }
            Some(_) => {}
        }
    }
    None
}

/// Whether a name has nothing in it but what stands in file names, and variables without operators.
fn is_plain(name: &str) -> bool {
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "/._+-$~%{}".contains(ch);
    let mut variables = name.split('$').skip(1);
    let braced = |rest: &str| match rest.strip_prefix('{') {
        None => !rest.starts_with(|ch: char| !ch.is_ascii_alphabetic() && ch != '_'),
        Some(rest) => rest.split_once('}').is_some_and(|(variable, _)| {
            variable
                .chars()
                .all(|ch| ch.is_ascii_alphanumeric() || ch == '_')
        }),
    };
    let text = name.trim_matches('"');
    text.chars().all(plain) && variables.all(braced)
}

/// The last statement behind the download that names the archive.
fn last_use(cx: &PassContext<'_>, script: &Script, archive: &Archive) -> usize {
    let mut statements = script.statements.iter();
    let last = statements.rposition(|one| names(cx, one.span, archive));
    last.unwrap_or(archive.unpacked).max(archive.unpacked)
}

/// Whether a text names the archive; of a name with variables, what stands before the first counts.
fn names(cx: &PassContext<'_>, span: Span, archive: &Archive) -> bool {
    let base = archive.name.rsplit('/').next().unwrap_or_default();
    let base = base.trim_matches('"');
    let known = base.split('$').next().filter(|known| known.len() > 2);
    let text = String::from_utf8_lossy(span.of(cx.text));
    text.contains(known.unwrap_or(base))
}

/// Whether a statement deletes the archive, or the directory that may hold it.
fn may_delete(
    statement: &Statement,
    archive: &Archive,
    place: &Place<'_>,
    cx: &PassContext<'_>,
) -> bool {
    let Some(command) = statement.command() else {
        return false;
    };
    let name = command::name(command).unwrap_or_default();
    if !["rm", "find", "unlink", "shred"].contains(&name) {
        return false;
    }
    let before = place
        .script
        .top_commands()
        .filter(|(at, _)| *at < archive.got);
    let entered = before.filter(|(_, one)| command::name(one) == Some("cd"));
    let mut directories = entered.filter_map(|(_, one)| one.words.get(1));
    let directory = directories
        .next_back()
        .map_or("", |word| word.text.as_str());
    let holds = |word: &str| {
        let word = word.trim_end_matches(['*', '/']);
        !word.is_empty() && (archive.name.starts_with(word) || directory.starts_with(word))
    };
    let mut words = command.words.iter().skip(1).map(|word| word.text.as_str());
    names(cx, statement.span, archive)
        || words.any(|word| word.contains(['*', '$', '`']) || word == "." || holds(word))
}

fn report(
    cx: &PassContext<'_>,
    place: &Place<'_>,
    last: usize,
    archives: &[Archive],
    out: &mut Findings,
) {
    let step: &Step<'_> = &place.stage.steps[place.at];
    let Some(first) = archives.first() else {
        return;
    };
    let span = place.script.statements[first.got].span;
    let names: Vec<&str> = archives.iter().map(|one| one.name.as_str()).collect();
    let delete = format!("rm {}", names.join(" "));
    let edit = insert_command(step.instruction, place.script, cx.text, last, &delete);
    let Some(edit) = edit else {
        let reason = "there is no place behind the last use to write a command";
        return out.decline(span, reason);
    };
    let shown = names.join("`, `");
    let stay = if names.len() > 1 { "stay" } else { "stays" };
    let message = format!("`{shown}` {stay} in the layer, packed and unpacked");
    let fix = cx.fix(format!("delete `{shown}` in the same step"), vec![edit]);
    out.report(span, message, fix);
}
