//! The shell script of an instruction with its text, for comparing what no type of the tree holds.

use super::Side;
use crate::model::Step;
use crate::syntax::shell::{self, Command, Compound, Node, Operator, Script, Statement};
use crate::syntax::{Instruction, Logical};
use crate::text::Span;

/// A script and the joined text that it was read from.
pub(super) struct Shell<'i> {
    pub(super) script: &'i Script,
    joined: Logical,
}

/// Stands in a skeleton for what is compared apart.
const HOLE: u8 = 0;

impl<'i> Shell<'i> {
    /// The script of `instruction`, a RUN or one that ONBUILD triggers, at `step`; `None` where it cannot be read.
    pub(super) fn of(
        side: &Side<'_>,
        step: &Step<'_>,
        instruction: &'i Instruction,
    ) -> Option<Self> {
        if !side.model.is_sh(step) {
            return None;
        }
        let joined = shell::text_of(instruction, side.text)?;
        if joined.text.starts_with(b"#!") && !names_a_shell(&joined.text) {
            return None;
        }
        let script = instruction.script(side.text)?;
        Some(Self { script, joined })
    }

    /// The whole text.
    pub(super) fn text(&self) -> &[u8] {
        &self.joined.text
    }

    /// The joined text of a span of the file.
    pub(super) fn slice(&self, span: Span) -> &[u8] {
        let (start, end) = self.range(span);
        self.joined.text.get(start..end).unwrap_or_default()
    }

    /// As much of the text of a span as fits a message.
    pub(super) fn quote(&self, span: Span) -> String {
        const LONGEST: usize = 60;
        let text = String::from_utf8_lossy(self.slice(span)).into_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }

    /// What is left of `outer` without the spans in `inner`, each of which is a hole; blanks outside quotes count as one.
    pub(super) fn skeleton(&self, outer: Span, inner: &[Span]) -> Vec<u8> {
        let (mut at, end) = self.range(outer);
        let mut text = Vec::new();
        for span in inner {
            let (start, stop) = self.range(*span);
            text.extend_from_slice(self.joined.text.get(at..start).unwrap_or_default());
            text.push(HOLE);
            at = stop.max(at);
        }
        text.extend_from_slice(self.joined.text.get(at..end).unwrap_or_default());
        without_extra_blanks(&text)
    }

    /// What stands outside all statements and operators: bodies of here-documents, and what nobody reads.
    pub(super) fn residue(&self) -> Vec<u8> {
        let text = &self.joined.text;
        let has_heredoc = text.windows(2).any(|pair| pair == b"<<");
        let mut residue = Vec::new();
        let mut at = 0;
        let mut keep = |gap: &[u8]| {
            let gap = gap.trim_ascii_end();
            for line in gap.split(|byte| *byte == b'\n') {
                let is_comment = line.trim_ascii_start().starts_with(b"#") && !has_heredoc;
                if !is_comment && !line.trim_ascii().is_empty() {
                    residue.extend_from_slice(line);
                    residue.push(b'\n');
                }
            }
        };
        for statement in &self.script.statements {
            let operator = statement.operator.map(|(_, span)| span);
            for span in std::iter::once(statement.span).chain(operator) {
                let (start, end) = self.range(span);
                keep(text.get(at..start).unwrap_or_default());
                at = end.max(at);
            }
        }
        keep(text.get(at..).unwrap_or_default());
        residue
    }

    fn range(&self, span: Span) -> (usize, usize) {
        let start = self.offset(span.start);
        match span.is_empty() {
            true => (start, start),
            false => (start, self.offset(span.end - 1) + 1),
        }
    }

    /// The way from the file to the joined text.
    fn offset(&self, file: u32) -> usize {
        let segments = &self.joined.segments;
        let next = segments.partition_point(|(_, at)| *at <= file);
        let found = next.checked_sub(1).and_then(|last| segments.get(last));
        let Some((joined, at)) = found else { return 0 };
        ((joined + (file - at)) as usize).min(self.joined.text.len())
    }
}

/// What joins a statement to the next one, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`, a line end, or the end.
    Then,
    /// `&`
    Background,
}

/// The joint behind a statement.
pub(super) fn joint(statement: &Statement) -> Joint {
    match statement.operator {
        Some((Operator::And, _)) => Joint::And,
        Some((Operator::Or, _)) => Joint::Or,
        Some((Operator::Background, _)) => Joint::Background,
        Some((Operator::Semicolon | Operator::Newline, _)) | None => Joint::Then,
    }
}

/// The lists of a statement that is no simple command; members of a pipeline are lists of one.
pub(super) fn lists(statement: &Statement) -> Vec<&[Statement]> {
    match &statement.node {
        Node::Command(_) => Vec::new(),
        Node::Pipeline(members) => members.iter().map(std::slice::from_ref).collect(),
        Node::Compound(Compound { lists, .. }) => lists.iter().map(Vec::as_slice).collect(),
    }
}

/// The literal words of a command that has no others; `sudo` in front is left out.
pub(super) fn plain_words(command: &Command) -> Option<Vec<&str>> {
    let words = command.words.iter().map(|word| word.literal.as_deref());
    let words = words.collect::<Option<Vec<_>>>()?;
    Some(match words.split_first() {
        Some((&"sudo", rest)) => rest.to_vec(),
        _ => words,
    })
}

fn names_a_shell(script: &[u8]) -> bool {
    let line = script.split(|byte| *byte == b'\n').next();
    let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let mut words = line.trim_start_matches("#!").split_whitespace();
    let names = words.by_ref().map(|word| word.rsplit('/').next());
    let mut names = names
        .flatten()
        .filter(|name| *name != "env" && !name.starts_with('-'));
    matches!(names.next(), Some("sh" | "bash" | "dash" | "ash" | "zsh"))
}

fn without_extra_blanks(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut quote = None;
    let mut escaped = false;
    for byte in text {
        let is_blank = matches!(byte, b' ' | b'\t') && quote.is_none() && !escaped;
        if is_blank && matches!(out.last(), None | Some(b' ')) {
            continue;
        }
        match (quote, byte) {
            _ if escaped => escaped = false,
            (None | Some(b'"'), b'\\') => escaped = true,
            (None, b'\'' | b'"') => quote = Some(*byte),
            (Some(open), close) if open == *close => quote = None,
            _ => {}
        }
        out.push(match is_blank {
            true => b' ',
            false => *byte,
        });
    }
    while out.last() == Some(&b' ') {
        out.pop();
    }
    out
}
