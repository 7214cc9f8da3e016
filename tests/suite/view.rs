//! A Dockerfile in the terms of `tests/conformance/README.md`: what BuildKit's parser says about it.

use dockeropt::syntax::{
    Args, Directive, Dockerfile, Flag, Heredoc, Instruction, Item, Keyword, Pair, Word,
};
use dockeropt::text::{LineIndex, Span};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What BuildKit says about a file.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    /// Whether it would build it. Where not, only `error_lines` is set.
    pub(crate) accepted: bool,
    /// First and last line of what is refused; `None` where BuildKit names no line.
    pub(crate) error_lines: Option<(u32, u32)>,
    /// The escape character.
    pub(crate) escape: String,
    /// Parser directives, by line.
    pub(crate) directives: Vec<DirectiveView>,
    /// The last line of each instruction with a blank line in a continuation: `LINE: …`.
    pub(crate) warnings: Vec<String>,
    /// All instructions.
    pub(crate) instructions: Vec<InstructionView>,
    /// All stages.
    pub(crate) stages: Vec<StageView>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct DirectiveView {
    line: u32,
    name: String,
    value: String,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct InstructionView {
    pub(crate) cmd: String,
    flags: Vec<String>,
    args: Vec<String>,
    json: bool,
    heredocs: Vec<HeredocView>,
    pub(crate) start: u32,
    pub(crate) end: u32,
    onbuild_child: Option<Box<InstructionView>>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct HeredocView {
    name: String,
    content: String,
    expand: bool,
    chomp: bool,
    fd: u32,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct StageView {
    name: String,
    base: String,
    platform: String,
    start: u32,
    commands: usize,
}

/// The view of our own parse.
pub(crate) fn view(text: &[u8]) -> View {
    let file = Dockerfile::parse(text);
    if let Some(error) = file.errors.first() {
        return View {
            error_lines: Some(error.lines).filter(|lines| *lines != (0, 0)),
            ..View::default()
        };
    }
    let listed = file.directives().filter(|one| !is_indented(text, one));
    View {
        accepted: true,
        error_lines: None,
        escape: char::from(file.escape.byte()).to_string(),
        directives: listed.map(directive).collect(),
        warnings: warnings(text, &file),
        instructions: file
            .instructions()
            .map(|one| instruction(text, one))
            .collect(),
        stages: stages(&file),
    }
}

impl InstructionView {
    /// `CMD:start-end:digest`, as in the table of the corpus.
    pub(crate) fn fingerprint(&self) -> String {
        let form = self.onbuild_child.as_deref().unwrap_or(self);
        let bit = |set: bool| if set { "1" } else { "0" };
        let heredocs: Vec<String> = self
            .heredocs
            .iter()
            .map(|doc| [&*doc.name, &doc.content, bit(doc.expand), bit(doc.chomp)].join("\u{1f}"))
            .collect();
        let parts = [
            form.flags.join("\u{1f}"),
            form.args.join("\u{1f}"),
            bit(form.json).to_owned(),
            heredocs.join("\u{1e}"),
        ];
        let hash = Sha256::digest(parts.join("\u{1e}").as_bytes());
        let digest: String = hash
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}:{}-{}:{digest}", self.cmd, self.start, self.end)
    }
}

/// BuildKit obeys an indented directive, but does not list it.
fn is_indented(text: &[u8], directive: &Directive) -> bool {
    directive.span.of(text).starts_with(b" ")
}

fn directive(directive: &Directive) -> DirectiveView {
    DirectiveView {
        line: directive.line,
        name: directive.name.clone(),
        value: directive.value.clone(),
    }
}

/// BuildKit warns once an instruction, at the line on which its continuations end.
fn warnings(text: &[u8], file: &Dockerfile) -> Vec<String> {
    let lines = LineIndex::new(text);
    let has_blank = |one: &&Instruction| {
        let mut blanks = file.blank_continuations.iter();
        blanks.any(|blank| one.span.contains(*blank))
    };
    let warned = file.instructions().filter(has_blank);
    warned
        .map(|one| {
            let last = match all_heredocs(one).next() {
                Some(heredoc) => lines.line(heredoc.body.start) - 1,
                None => one.lines.1,
            };
            format!("{last}: https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/")
        })
        .collect()
}

fn instruction(text: &[u8], one: &Instruction) -> InstructionView {
    let child = match &one.args {
        Args::Onbuild(child) => Some(child),
        _ => None,
    };
    InstructionView {
        cmd: keyword(one).to_uppercase(),
        flags: one.flags.iter().map(flag).collect(),
        args: arguments(one),
        json: is_json(one),
        heredocs: all_heredocs(one).map(|doc| heredoc(text, doc)).collect(),
        start: one.lines.0,
        end: one.lines.1,
        onbuild_child: child.map(|child| Box::new(trigger(text, child))),
    }
}

/// The instruction of an ONBUILD. BuildKit gives it no lines, and leaves its here-documents with the ONBUILD.
fn trigger(text: &[u8], child: &Instruction) -> InstructionView {
    InstructionView {
        start: 0,
        end: 0,
        heredocs: Vec::new(),
        ..instruction(text, child)
    }
}

fn arguments(one: &Instruction) -> Vec<String> {
    if one.keyword == Keyword::Unknown {
        return vec![String::new()];
    }
    match &one.args {
        Args::Shell => shell_text(one.args_text()),
        Args::Exec(words) | Args::Words(words) => texts(words),
        Args::Pairs(pairs) => pairs.iter().flat_map(triple).collect(),
        Args::Healthcheck {
            kind,
            exec,
            command_start,
        } => {
            let command = match exec {
                Some(words) => texts(words),
                None => shell_text(&one.logical.text[*command_start as usize..]),
            };
            [vec![kind.text.clone()], command].concat()
        }
        Args::Onbuild(child) => {
            let name = keyword(child);
            [vec![name], arguments(child)].concat()
        }
    }
}

/// One string for the whole shell form; none where there is nothing.
fn shell_text(text: &[u8]) -> Vec<String> {
    let text = lossy(text);
    match text.trim() {
        "" => Vec::new(),
        trimmed => vec![trimmed.to_owned()],
    }
}

/// The text with U+FFFD for each byte that is not UTF-8, as Go decodes it.
fn lossy(text: &[u8]) -> String {
    let chunks = text.utf8_chunks();
    chunks
        .map(|chunk| chunk.valid().to_owned() + &"\u{fffd}".repeat(chunk.invalid().len()))
        .collect()
}

fn texts(words: &[Word]) -> Vec<String> {
    words.iter().map(|word| word.text.clone()).collect()
}

fn triple(pair: &Pair) -> [String; 3] {
    let separator = if pair.legacy { "" } else { "=" };
    [
        pair.key.text.clone(),
        pair.value.text.clone(),
        separator.to_owned(),
    ]
}

fn is_json(one: &Instruction) -> bool {
    matches!(
        one.args,
        Args::Exec(_) | Args::Healthcheck { exec: Some(_), .. }
    )
}

fn flag(flag: &Flag) -> String {
    match &flag.value {
        Some(value) => format!("--{}={value}", flag.name),
        None => format!("--{}", flag.name),
    }
}

/// The here-documents of an instruction and of the instruction that it triggers.
fn all_heredocs(one: &Instruction) -> impl Iterator<Item = &Heredoc> {
    let child = match &one.args {
        Args::Onbuild(child) => child.heredocs.as_slice(),
        _ => &[],
    };
    let own = one.heredocs.as_slice();
    (if own.is_empty() { child } else { own }).iter()
}

fn heredoc(text: &[u8], heredoc: &Heredoc) -> HeredocView {
    HeredocView {
        name: heredoc.name.clone(),
        content: lossy(heredoc.body.of(text)),
        expand: heredoc.expand,
        chomp: heredoc.chomp,
        fd: heredoc.fd,
    }
}

/// The keyword as written, continuations inside it joined.
fn keyword(one: &Instruction) -> String {
    let Span { start, end } = one.keyword_span;
    let letters = one.logical.text.iter().zip(0..);
    let inside = letters.filter(|(_, at)| (start..end).contains(&one.logical.to_file(*at)));
    let joined: Vec<u8> = inside.map(|(byte, _)| *byte).collect();
    lossy(&joined)
}

fn stages(file: &Dockerfile) -> Vec<StageView> {
    let mut stages: Vec<StageView> = Vec::new();
    for item in &file.items {
        let Item::Instruction(one) = item else {
            continue;
        };
        if one.keyword == Keyword::From {
            stages.push(stage(one));
        } else if let Some(last) = stages.last_mut() {
            last.commands += 1;
        }
    }
    stages
}

fn stage(from: &Instruction) -> StageView {
    let words = texts(from.words());
    let platform = from.flag("platform").and_then(|flag| flag.value.clone());
    StageView {
        name: words
            .get(2)
            .map(|name| name.to_lowercase())
            .unwrap_or_default(),
        base: words.first().cloned().unwrap_or_default(),
        platform: platform.unwrap_or_default(),
        start: from.lines.0,
        commands: 0,
    }
}
