//! The edits: the manifests' COPY in front, and the source behind what was installed, in the author's own lines.

use std::collections::BTreeMap;

use super::between::{Fate, Moves};
use super::brought::Brought;
use super::cut::moved_to;
use super::installs::{Found, is_lock};
use crate::context::{Entry, path};
use crate::model::managers::{Kind, invocation};
use crate::pass::PassContext;
use crate::pass::layout::line_ending;
use crate::pass::runs::Stage;
use crate::syntax::{Instruction, Item, Keyword};
use crate::text::{Edit, Span};

/// A COPY of manifests, to be written.
pub(super) struct Manifests<'a> {
    by: &'a Brought<'a>,
    /// Whether the destination is absolute, however that of the COPY is written.
    absolute: bool,
    /// The sources, paths in the context.
    pub(super) sources: Vec<String>,
    /// Where they go, in the image.
    to: String,
    is_directory: bool,
}

/// What must be copied in front of `source`: what of the reads is brought by it or by a COPY that stays behind it.
///
/// # Errors
/// A file cannot be copied by its name.
pub(super) fn manifests<'a>(
    cx: &PassContext<'_>,
    found: &[&Found],
    brought: &'a [Brought<'a>],
    source: &Brought<'_>,
    moves: &Moves,
) -> Result<Vec<Manifests<'a>>, String> {
    let is_early = |step: usize| moves.fates.contains(&(step, Fate::Early));
    let is_behind = |step: usize| step >= source.step && !is_early(step);
    let mut groups: BTreeMap<(usize, String, String), Manifests<'a>> = BTreeMap::new();
    let mut all: Vec<&(String, String)> = Vec::new();
    for needs in found.iter().filter_map(|one| one.reads.as_ref().ok()) {
        all.extend(&needs.places);
    }
    all.sort();
    all.dedup();
    for (from, to) in all {
        let mut puts = brought.iter().filter(|one| one.puts(from, to));
        let last = found.iter().map(|one| one.step).max().unwrap_or_default();
        let Some(by) = puts
            .clone()
            .find(|one| is_behind(one.step) && one.step < last)
        else {
            continue;
        };
        if puts.any(|one| !is_behind(one.step) && one.step < last) {
            continue;
        }
        named(cx, from)?;
        let among = by.directories.len() + by.named.len() > 1;
        if among && !by.named.contains(from) {
            let reason =
                "the COPY brings several sources, and which of them comes last is not looked at";
            return Err(reason.to_owned());
        }
        if by.to.contains(['"', '\'', '\\', ' ', '\t']) {
            return Err(format!("`{}` cannot be named in a COPY as it is", by.to));
        }
        let is_directory = cx.context.entry(from) == Some(Entry::Directory);
        let (group, to) = match is_directory {
            true => (from.clone(), to.clone()),
            false => (path::parent(from).to_owned(), path::parent(to).to_owned()),
        };
        let one = groups
            .entry((by.step, group, to.clone()))
            .or_insert(Manifests {
                by,
                absolute: moves.absolute,
                sources: Vec::new(),
                to: if to.is_empty() { "/".to_owned() } else { to },
                is_directory,
            });
        one.sources.push(from.clone());
    }
    let mut groups: Vec<Manifests<'a>> = groups.into_values().collect();
    for one in &mut groups {
        one.sources
            .sort_by_key(|name| (is_lock(path::file_name(name)), name.clone()));
    }
    Ok(groups)
}

/// Whether a path can be written as a source as it is, and is no symlink.
fn named(cx: &PassContext<'_>, file: &str) -> Result<(), String> {
    let plain = |ch: char| ch.is_alphanumeric() || "/._-@+,=".contains(ch);
    if !file.chars().all(plain) {
        return Err(format!("`{file}` cannot be named in a COPY as it is"));
    }
    match cx.context.resolve(file).as_deref() == Some(file) {
        true => Ok(()),
        false => Err(format!("`{file}` is a symlink")),
    }
}

impl Manifests<'_> {
    /// The line, without its ending.
    fn line(&self, text: &[u8]) -> Vec<u8> {
        let instruction = self.by.instruction;
        let keyword = String::from_utf8_lossy(instruction.keyword_span.of(text)).into_owned();
        let keyword = match keyword.chars().all(char::is_lowercase) {
            true => "copy",
            false => "COPY",
        };
        let mut line = indent(instruction, text).to_vec();
        line.extend_from_slice(keyword.as_bytes());
        for flag in &instruction.flags {
            line.push(b' ');
            line.extend_from_slice(flag.span.of(text));
        }
        line.extend_from_slice(
            format!(" {} {}", self.sources.join(" "), self.destination()).as_bytes(),
        );
        line
    }

    /// The destination, written as that of the COPY is.
    fn destination(&self) -> String {
        let odd = ['"', '\'', '\\', ' ', '\t'];
        let written = match self.absolute || self.by.written.contains(odd) {
            true => self.by.to.as_str(),
            false => self.by.written,
        };
        let base = match written.strip_suffix('.') {
            Some(directory) if directory.is_empty() || directory.ends_with('/') => directory,
            _ => written,
        };
        let base = match base {
            "" => "./".to_owned(),
            base if base.ends_with('/') => base.to_owned(),
            base => format!("{base}/"),
        };
        let rest = path::below(&self.to, self.by.to.trim_end_matches('/'));
        let rest = rest.unwrap_or_default().trim_start_matches('/');
        match (rest.is_empty(), self.is_directory) {
            (true, _) => base,
            (false, true) => format!("{base}{rest}"),
            (false, false) => format!("{base}{rest}/"),
        }
    }
}

/// Whether what the COPY makes is root's, as what a WORKDIR makes in its place.
pub(super) fn is_of_root(stage: &Stage<'_>, source: &Brought<'_>) -> bool {
    let before = &stage.steps[source.step].before;
    source.instruction.flag("chown").is_none() && before.is_root() == Some(true)
}

/// The white space before an instruction on its line.
fn indent<'t>(instruction: &Instruction, text: &'t [u8]) -> &'t [u8] {
    Span::new(instruction.span.start, instruction.keyword_span.start).of(text)
}

/// An instruction with the comments directly above it.
struct Chunk {
    span: Span,
    /// Whether a blank line stands above.
    blank: bool,
}

/// The lines of a stage that change.
pub(super) struct Rewrite<'a> {
    pub(super) cx: &'a PassContext<'a>,
    pub(super) stage: &'a Stage<'a>,
    pub(super) source: &'a Brought<'a>,
    pub(super) moves: &'a Moves,
    pub(super) manifests: &'a [Manifests<'a>],
    /// The steps of the installs.
    pub(super) installs: Vec<usize>,
}

impl Rewrite<'_> {
    /// The edits.
    pub(super) fn edits(&self) -> Vec<Edit> {
        let source = self.chunk(self.source.step);
        let mut front = Vec::new();
        for one in self.manifests {
            front.extend(one.line(self.cx.text));
            front.extend_from_slice(self.ending());
        }
        let fetch = self
            .moves
            .fetch
            .as_ref()
            .map(|(command, _)| self.run(command));
        let fetch = fetch.unwrap_or_default();
        let is = |fate: Fate| self.moves.fates.iter().filter(move |one| one.1 == fate);
        let ends_late = self
            .moves
            .fates
            .last()
            .is_some_and(|one| one.1 == Fate::Late);
        let others_late = is(Fate::Late).count() > usize::from(ends_late && !fetch.is_empty());
        let any_early = self.moves.fates.iter().any(|one| one.1 != Fate::Late);
        match others_late || !any_early {
            true => self.move_up(&source, front, &fetch),
            false => self.move_down(&source, front, &fetch),
        }
    }

    /// What runs early goes in front of the source.
    fn move_up(&self, source: &Chunk, mut front: Vec<u8>, fetch: &[u8]) -> Vec<Edit> {
        let word = self.source.instruction.words().last();
        let word = word.filter(|_| self.moves.absolute);
        let absolute = word.map(|word| Edit::replace(word.span, self.destination()));
        let mut edits: Vec<Edit> = absolute.into_iter().collect();
        for (step, fate) in &self.moves.fates {
            match fate {
                Fate::Late => {}
                Fate::Early => {
                    let chunk = self.chunk(*step);
                    front.extend(self.line(chunk.span));
                    edits.push(Edit::delete(self.with_blank(*step)));
                }
                Fate::Split(at) => {
                    let Some((head, gap, again)) = self.cut(*step, *at) else {
                        return Vec::new();
                    };
                    front.extend_from_slice(Span::new(head.start, gap.start).of(self.cx.text));
                    front.extend_from_slice(self.ending());
                    edits.push(Edit::replace(Span::new(head.start, gap.end), again));
                }
            }
        }
        front.extend_from_slice(fetch);
        edits.push(Edit::insert(source.span.start, front));
        edits
    }

    /// The source goes behind what runs early.
    fn move_down(&self, source: &Chunk, front: Vec<u8>, fetch: &[u8]) -> Vec<Edit> {
        let text = self.cx.text;
        let Some((step, fate)) = self.moves.fates.last() else {
            return Vec::new();
        };
        let chunk = self.chunk(*step);
        let (mut edits, fetch) = match self.needing() {
            None => {
                let span = match front.is_empty() {
                    true => source.span,
                    false => self.with_gap(source.span),
                };
                (vec![Edit::replace(span, front)], fetch.to_vec())
            }
            Some(needing) => {
                let gone = Edit::delete(self.with_blank(self.source.step));
                match needing == *step && *fate == Fate::Late {
                    true => (vec![gone], [&front, fetch].concat()),
                    false => {
                        let at = self.chunk(needing).span.start;
                        (vec![gone, Edit::insert(at, front)], fetch.to_vec())
                    }
                }
            }
        };
        let blank = match chunk.blank {
            true => self.ending(),
            false => b"",
        };
        let source = self.source_lines(source);
        let source = source.as_slice();
        match fate {
            Fate::Early => {
                let end = chunk.span.end;
                let unended = !chunk.span.of(text).ends_with(b"\n");
                let insert = match unended {
                    true => [
                        self.ending(),
                        blank,
                        source.strip_suffix(self.ending()).unwrap_or(source),
                    ]
                    .concat(),
                    false => [blank, source].concat(),
                };
                edits.push(Edit::insert(end, insert));
            }
            Fate::Late => {
                // What a comment introduces stays a paragraph of its own.
                let instruction = self.stage.steps[*step].instruction;
                let is_introduced = chunk.span.start < instruction.span.start;
                let below = if is_introduced { blank } else { b"" };
                edits.push(Edit::insert(
                    chunk.span.start,
                    [&fetch, blank, source, below].concat(),
                ));
            }
            Fate::Split(at) => {
                let Some((_, gap, again)) = self.cut(*step, *at) else {
                    return Vec::new();
                };
                let insert = [self.ending(), &fetch, blank, source, blank, &again].concat();
                edits.push(Edit::replace(gap, insert));
            }
        }
        edits
    }

    /// The lines of the source, its destination absolute where that is asked for.
    fn source_lines(&self, source: &Chunk) -> Vec<u8> {
        let mut lines = source.span.of(self.cx.text).to_vec();
        let word = self.source.instruction.words().last();
        if let Some(word) = word.filter(|_| self.moves.absolute) {
            let at = |place: u32| (place - source.span.start) as usize;
            lines.splice(at(word.span.start)..at(word.span.end), self.destination());
        }
        lines
    }

    /// The destination of the source, absolute.
    fn destination(&self) -> Vec<u8> {
        format!("{}/", self.source.to.trim_end_matches('/')).into_bytes()
    }

    /// The first step behind the source that may read the manifests, where others stand before it. These need not run
    /// again when a manifest changes.
    fn needing(&self) -> Option<usize> {
        let reads = |step: &usize| {
            let Some(script) = self.stage.steps[*step].script() else {
                return false;
            };
            let commands = script.commands();
            let mut managers = commands.iter().map(|at| invocation(&at.command.words));
            self.installs.contains(step)
                || managers.any(|one| one.is_some_and(|one| one.manager.kind == Kind::Node))
                || commands
                    .iter()
                    .any(|at| at.command.name() == Some("corepack"))
        };
        let mut steps = self.moves.fates.iter().map(|one| one.0);
        let first = steps.clone().next()?;
        let needing = steps.find(reads).filter(|step| *step != first)?;
        // A WORKDIR must not make a directory that the COPY made with another owner.
        let plain = is_of_root(self.stage, self.source);
        let mut passed = (first..needing).map(|step| self.stage.steps[step].instruction.keyword);
        let kept =
            plain || !passed.any(|keyword| matches!(keyword, Keyword::Workdir | Keyword::User));
        (kept && !self.manifests.is_empty()).then_some(needing)
    }

    /// Where a RUN is cut: its instruction, what lies between the halves, and what starts the second half.
    fn cut(&self, step: usize, at: usize) -> Option<(Span, Span, Vec<u8>)> {
        let step = &self.stage.steps[step];
        let script = step.script()?;
        let before = script.statements.get(at.checked_sub(1)?)?;
        let next = script.statements.get(at)?;
        let gap = Span::new(before.span.end, next.span.start);
        let start = step.instruction.span.start;
        let mut again = Span::new(start, script.span.start)
            .of(self.cx.text)
            .to_vec();
        again.extend_from_slice(moved_to(&script.statements[..at]).as_bytes());
        Some((step.instruction.span, gap, again))
    }

    /// A RUN of `command`, written as the install is.
    fn run(&self, command: &str) -> Vec<u8> {
        let last = self
            .moves
            .fates
            .last()
            .map(|one| self.stage.steps[one.0].instruction);
        let Some(run) = last.filter(|one| one.keyword == Keyword::Run) else {
            return Vec::new();
        };
        let mut line = indent(run, self.cx.text).to_vec();
        line.extend_from_slice(run.keyword_span.of(self.cx.text));
        for flag in &run.flags {
            line.push(b' ');
            line.extend_from_slice(flag.span.of(self.cx.text));
        }
        line.push(b' ');
        line.extend_from_slice(command.as_bytes());
        line.extend_from_slice(self.ending());
        line
    }

    fn ending(&self) -> &'static [u8] {
        line_ending(self.source.instruction, self.cx.text)
    }

    /// Whole lines, with an ending.
    fn line(&self, span: Span) -> Vec<u8> {
        let text = span.of(self.cx.text);
        match text.ends_with(b"\n") {
            true => text.to_vec(),
            false => [text, self.ending()].concat(),
        }
    }

    /// A step's chunk with the blank line above it, where another one stands below.
    fn with_blank(&self, step: usize) -> Span {
        let chunk = self.chunk(step);
        let next = step + 1 < self.stage.steps.len() && self.chunk(step + 1).blank;
        let items = self.cx.file.items.iter().rev();
        let mut above = items.filter(|item| item.span().end == chunk.span.start);
        match above.next() {
            Some(Item::Blank(span)) if next => Span::new(span.start, chunk.span.end),
            _ => chunk.span,
        }
    }

    /// A span with the blank lines below it: what installs the manifests stands directly below them.
    fn with_gap(&self, span: Span) -> Span {
        let items = &self.cx.file.items;
        let below = items.partition_point(|item| item.span().start < span.end);
        let blanks = items[below..].iter();
        let blanks = blanks.take_while(|item| matches!(item, Item::Blank(_)));
        blanks.fold(span, |span, item| span.cover(item.span()))
    }

    /// A step's instruction, with the comments directly above it.
    fn chunk(&self, step: usize) -> Chunk {
        let instruction = self.stage.steps[step].instruction;
        let items = &self.cx.file.items;
        let at = items.partition_point(|item| item.span().start < instruction.span.start);
        let mut start = instruction.span.start;
        let mut above = items[..at].iter().rev();
        let mut blank = false;
        for item in above.by_ref() {
            match item {
                Item::Comment(span) => start = span.start,
                Item::Blank(_) => {
                    blank = true;
                    break;
                }
                _ => break,
            }
        }
        let span = Span::new(start, instruction.span.end);
        Chunk { span, blank }
    }
}
