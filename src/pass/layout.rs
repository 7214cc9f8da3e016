//! How a RUN is written: where its operators stand, how its lines are indented and end. New text follows the author.

use crate::syntax::Instruction;
use crate::syntax::shell::{Operator, Script, Statement};
use crate::text::{Edit, Span};

/// Lines up to this many columns stay one line.
pub const MAX_COLUMNS: usize = 120;

/// Where the author puts `&&`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorPlace {
    /// `a && \` and `b` on the next line.
    LineEnd,
    /// `a \` and `&& b` on the next line.
    LineStart,
}

/// The style of one RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Whether its script is written on one line.
    pub single_line: bool,
    /// Whether lines end at operators.
    pub breaks_operators: bool,
    /// Where operators stand when they meet a line end.
    pub place: OperatorPlace,
    /// The white space before a command that starts a line (before its `&&`, where operators start lines).
    pub indent: Vec<u8>,
    /// `\n` or `\r\n`.
    pub line_ending: &'static [u8],
}

/// The indent of a new continuation line where the file shows none.
const DEFAULT_INDENT: &[u8] = b"    ";

impl Layout {
    /// The style of `instruction`, whose script is `script`, in `text`.
    pub fn of(instruction: &Instruction, script: &Script, text: &[u8]) -> Self {
        let broken = broken_operators(script, text);
        let starts = broken
            .iter()
            .filter(|one| one.place == OperatorPlace::LineStart);
        let near = match broken.is_empty() {
            true => broken_nearby(instruction, text),
            false => None,
        };
        let place = match (broken.len(), &near) {
            (0, Some(near)) => near.place,
            (all, _) if starts.count() * 2 >= all => OperatorPlace::LineStart,
            _ => OperatorPlace::LineEnd,
        };
        let shown = broken.iter().rev().find(|one| one.place == place);
        let indent = match shown {
            Some(operator) => operator.indent.to_vec(),
            None => last_line_indent(script, text)
                .filter(|indent| !indent.is_empty())
                .or_else(|| near.map(|one| one.indent.to_vec()))
                .unwrap_or_else(|| DEFAULT_INDENT.to_vec()),
        };
        Self {
            single_line: !script.span.of(text).contains(&b'\n'),
            breaks_operators: !broken.is_empty(),
            place,
            indent,
            line_ending: line_ending(instruction, text),
        }
    }

    /// The text that joins a following command with `&&` on a line of its own. Ends before the command.
    pub fn break_before_command(&self) -> Vec<u8> {
        self.break_with_comments(b"")
    }

    /// The same, with comment lines before the command's.
    pub fn break_with_comments(&self, comments: &[u8]) -> Vec<u8> {
        let (head, tail): (&[u8], &[u8]) = match self.place {
            OperatorPlace::LineEnd => (b" && \\", b""),
            OperatorPlace::LineStart => (b" \\", b"&& "),
        };
        [head, self.line_ending, comments, &self.indent, tail].concat()
    }
}

/// An operator beside a line end.
struct Broken<'a> {
    place: OperatorPlace,
    indent: &'a [u8],
}

/// The top-level `&&` and `;` at which the author broke the line.
fn broken_operators<'a>(script: &Script, text: &'a [u8]) -> Vec<Broken<'a>> {
    let pairs = script.statements.windows(2);
    pairs
        .filter_map(|pair| {
            let (operator, span) = pair[0].operator?;
            if !matches!(operator, Operator::And | Operator::Semicolon) {
                return None;
            }
            let before = Span::new(pair[0].span.end, span.start).of(text);
            let after = Span::new(span.end, pair[1].span.start).of(text);
            if before.contains(&b'\n') {
                let indent = indent_of(span.start, text)?;
                return Some(Broken {
                    place: OperatorPlace::LineStart,
                    indent,
                });
            }
            let indent = indent_of(pair[1].span.start, text)?;
            after.contains(&b'\n').then_some(Broken {
                place: OperatorPlace::LineEnd,
                indent,
            })
        })
        .collect()
}

/// How the author breaks lines at `&&` near an instruction that does not: the lines above it first, nearest first.
fn broken_nearby<'a>(instruction: &Instruction, text: &'a [u8]) -> Option<Broken<'a>> {
    /// As many lines are looked at in each direction.
    const NEAR: usize = 200;
    let (start, end) = (
        instruction.span.start as usize,
        instruction.span.end as usize,
    );
    let above = text.get(..start)?.rsplit(|byte| *byte == b'\n').take(NEAR);
    let below = text.get(end..)?.split(|byte| *byte == b'\n').take(NEAR);
    // Of two neighbours the one that comes first in the text, and the one behind it.
    let above = above.clone().skip(1).zip(above);
    let below = below.clone().zip(below.skip(1));
    above.chain(below).find_map(|(line, next)| {
        let blanks = |line: &'a [u8]| &line[..line.len() - line.trim_ascii_start().len()];
        if next.trim_ascii_start().starts_with(b"&& ") {
            let indent = blanks(next);
            return Some(Broken {
                place: OperatorPlace::LineStart,
                indent,
            });
        }
        let ends = line
            .trim_ascii_end()
            .strip_suffix(b"\\")?
            .trim_ascii_end()
            .ends_with(b"&&");
        let indent = blanks(next);
        (ends && !next.trim_ascii().starts_with(b"#")).then_some(Broken {
            place: OperatorPlace::LineEnd,
            indent,
        })
    })
}

/// The white space before byte `at`, where nothing else stands before it on its line.
fn indent_of(at: u32, text: &[u8]) -> Option<&[u8]> {
    let before = text.get(..at as usize)?;
    let start = before.iter().rposition(|byte| *byte == b'\n')? + 1;
    let indent = &before[start..];
    let blank = indent.iter().all(|byte| matches!(byte, b' ' | b'\t'));
    blank.then_some(indent)
}

/// The indent of the line on which the script ends, where that is not its first line.
fn last_line_indent(script: &Script, text: &[u8]) -> Option<Vec<u8>> {
    let written = script.span.of(text);
    let line = written.iter().rposition(|byte| *byte == b'\n')? + 1;
    let indent = written[line..].iter();
    let width = indent
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    Some(written[line..line + width].to_vec())
}

/// How the lines of `instruction` end; those of the file where it has one line without an ending.
pub fn line_ending(instruction: &Instruction, text: &[u8]) -> &'static [u8] {
    let written = instruction.span.of(text);
    let newline = written.iter().position(|byte| *byte == b'\n');
    let (bytes, newline) = match newline {
        Some(newline) => (written, Some(newline)),
        None => (text, text.iter().position(|byte| *byte == b'\n')),
    };
    match newline.and_then(|at| bytes.get(at.checked_sub(1)?)) {
        Some(b'\r') => b"\r\n",
        _ => b"\n",
    }
}

/// The column behind the last byte of the line that byte `at` is on, up to `at`: its width so far, in characters.
pub fn columns_before(at: u32, text: &[u8]) -> usize {
    let before = text.get(..at as usize).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'\n');
    String::from_utf8_lossy(&before[start.map_or(0, |newline| newline + 1)..])
        .chars()
        .count()
}

/// What is left of the line behind byte `at`, in characters, its ending not counted.
pub fn columns_after(at: u32, text: &[u8]) -> usize {
    let after = text.get(at as usize..).unwrap_or_default();
    let line = after.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    String::from_utf8_lossy(line.unwrap_or_default())
        .chars()
        .count()
}

/// How many blanks end the line behind byte `at`; 0 where anything else stands there.
fn trailing_blanks(at: u32, text: &[u8]) -> u32 {
    let behind = text.get(at as usize..).unwrap_or_default();
    let blanks = behind
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    match behind.get(blanks) {
        None | Some(b'\r' | b'\n') => blanks as u32,
        _ => 0,
    }
}

/// Appends `command` to the script, written as its author writes: with `&&`, or with `;` where `set -e` makes that the
/// same and the author does so. `None` where a comment stands behind the script: it would end up below the command.
pub fn append_command(
    instruction: &Instruction,
    script: &Script,
    text: &[u8],
    command: &str,
) -> Option<Edit> {
    let end = script.statements.last()?.span.end;
    let is_behind = |comment: &Span| comment.start >= end;
    if instruction.comments.iter().any(is_behind) {
        return None;
    }
    let layout = Layout::of(instruction, script, text);
    let operator = match ends_in_semicolons(script) && layout.place == OperatorPlace::LineEnd {
        true => Operator::Semicolon,
        false => Operator::And,
    };
    Some(insert_at(end, &layout, operator, text, command))
}

/// What joins a command on a line of its own to the end of the script, with the operator that [`append_command`] takes.
pub fn line_joint(instruction: &Instruction, script: &Script, text: &[u8]) -> Vec<u8> {
    let layout = Layout::of(instruction, script, text);
    match ends_in_semicolons(script) && layout.place == OperatorPlace::LineEnd {
        true => [b"; \\", layout.line_ending, &layout.indent].concat(),
        false => layout.break_before_command(),
    }
}

/// Appends `commands` to the script, each on a line of its own, as [`append_command`] does.
pub fn append_lines(
    instruction: &Instruction,
    script: &Script,
    text: &[u8],
    commands: &[String],
) -> Option<Edit> {
    let one = append_command(instruction, script, text, "")?;
    let joint = line_joint(instruction, script, text);
    let lines = commands
        .iter()
        .flat_map(|command| [joint.as_slice(), command.as_bytes()]);
    let insert = lines.collect::<Vec<_>>().concat();
    Some(Edit::replace(one.span, insert))
}

/// Writes `command` behind top-level statement `index`, or behind the `||` list that it starts, with the operator that
/// stands there: what follows runs after it. `None` where that operator is none that it can be written with.
pub fn insert_command(
    instruction: &Instruction,
    script: &Script,
    text: &[u8],
    index: usize,
    command: &str,
) -> Option<Edit> {
    let operator = |one: &Statement| one.operator.map(|(operator, _)| operator);
    let mut rest = script.statements.iter().skip(index);
    let before = rest.find(|one| operator(one) != Some(Operator::Or))?;
    if rest.next().is_none() {
        return append_command(instruction, script, text, command);
    }
    let operator = operator(before)?;
    if !matches!(operator, Operator::And | Operator::Semicolon) {
        return None;
    }
    let layout = Layout::of(instruction, script, text);
    if layout.single_line {
        // Broken here, the rest of the line would follow what was added.
        return Some(Edit::insert(before.span.end, inline(operator, command)));
    }
    Some(insert_at(before.span.end, &layout, operator, text, command))
}

/// The edit that writes `command` behind byte `end`, on the same line where that is all there is and is short enough.
fn insert_at(end: u32, layout: &Layout, operator: Operator, text: &[u8], command: &str) -> Edit {
    let is_list = operator == Operator::Semicolon;
    let inline = inline(operator, command);
    // A line that grows too long is broken when all rules have run; one that was too long stays as it is.
    let width = columns_before(end, text) + columns_after(end, text);
    let gap = Span::new(end, end + trailing_blanks(end, text));
    if layout.single_line && width <= MAX_COLUMNS {
        return Edit::replace(gap, inline);
    }
    let mut insert = match is_list {
        true => [b"; \\", layout.line_ending, &layout.indent].concat(),
        false => layout.break_before_command(),
    };
    insert.extend_from_slice(command.as_bytes());
    Edit::replace(gap, insert)
}

fn inline(operator: Operator, command: &str) -> String {
    match operator {
        Operator::Semicolon => format!("; {command}"),
        _ => format!(" && {command}"),
    }
}

/// Whether the last statement is a list of its own under `set -e`: what follows it behind `;` runs only if it succeeds.
fn ends_in_semicolons(script: &Script) -> bool {
    let [.., before, last] = script.statements.as_slice() else {
        return false;
    };
    let alone = matches!(before.operator, Some((Operator::Semicolon, _)));
    alone && last.operator.is_none() && script.sets_errexit_before(script.statements.len() - 1)
}
