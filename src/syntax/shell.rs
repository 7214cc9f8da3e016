//! The shell text of a RUN (or CMD, ENTRYPOINT) in shell form: commands, words and operators, with spans of the file.
//!
//! `shuck-parser` does the parsing; none of its types leave this module. What cannot be parsed is opaque: `None`.

mod caught;
mod convert;
mod expand;
mod literal;
mod shift;
mod visit;

use std::borrow::Cow;

use super::{Args, Instruction, Logical};
use crate::text::Span;

pub use visit::{CommandAt, Inside};

/// Parses shell text, always as Bash, which accepts what the shells of base images accept. `None` where the text is
/// no valid shell, or where its pieces cannot be placed in the file with certainty.
///
/// A byte that is not UTF-8 reads as U+001A, so that offsets hold.
pub fn parse(logical: &Logical) -> Option<Script> {
    let text = utf8_of_same_length(&logical.text);
    let parsed = caught::parse(&text).filter(|parsed| parsed.is_ok())?;
    convert::script(&parsed.file, &text, logical)
}

/// Reads a script that stands in no shell form, as in `["sh", "-c", "…"]`: its spans are of `text`.
pub fn parse_text(text: &str) -> Option<Script> {
    let mut logical = Logical::default();
    logical.push_bytes(0, text.as_bytes());
    parse(&logical)
}

/// The text that the shell of a RUN, CMD or ENTRYPOINT in shell form gets: the body of the here-document where that
/// is all there is, else the joined line, with the here-documents behind it. `None` for other forms.
///
/// `text` is the whole file.
pub fn text_of(instruction: &Instruction, text: &[u8]) -> Option<Logical> {
    let Args::Shell = instruction.args else {
        return None;
    };
    let (start, end) = (instruction.args_start, instruction.args_end);
    if let [heredoc] = instruction.heredocs.as_slice()
        && !instruction.args_text().contains(&b' ')
        && instruction.args_text().starts_with(b"<<")
    {
        return Some(heredoc_body(heredoc.body, heredoc.chomp, text));
    }
    let mut joined = instruction.logical.slice(start, end);
    for heredoc in &instruction.heredocs {
        // The terminator's line follows the body; its ending may be missing at the end of the file.
        joined.push_bytes(heredoc.body.start, b"\n");
        joined.push(heredoc.body, text);
        joined.push_bytes(heredoc.body.end, heredoc.name.as_bytes());
        joined.push_bytes(heredoc.body.end, b"\n");
    }
    Some(joined)
}

impl Instruction {
    /// The script of an instruction in shell form; `None` for other forms, and where the text is no valid shell. Parsed
    /// once. `text` is the whole file.
    pub fn script(&self, text: &[u8]) -> Option<&Script> {
        let parse = || {
            text_of(self, text)
                .and_then(|text| parse(&text))
                .map(Box::new)
        };
        self.script.get_or_init(parse).as_deref()
    }
}

fn heredoc_body(body: Span, chomp: bool, text: &[u8]) -> Logical {
    let mut joined = Logical::default();
    if !chomp {
        joined.push(body, text);
        return joined;
    }
    let mut at = body.start;
    for line in body.of(text).split_inclusive(|byte| *byte == b'\n') {
        let tabs = line.iter().take_while(|byte| **byte == b'\t').count() as u32;
        let end = at + line.len() as u32;
        joined.push(Span::new(at + tabs, end), text);
        at = end;
    }
    joined
}

fn utf8_of_same_length(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{1a}'));
    }
    Cow::Owned(text)
}

/// A shell script: the top-level list of a RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The statements of the top-level list, in order.
    pub statements: Vec<Statement>,
    /// From the first byte of the first statement to the last byte of the last, its terminator included.
    pub span: Span,
}

/// One element of a list, with the operator that joins it to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What runs.
    pub node: Node,
    /// The statement with its redirects, without the operator behind it.
    pub span: Span,
    /// Written `! …`.
    pub negated: bool,
    /// Redirects of a compound statement; those of a simple command are on the command.
    pub redirects: Vec<Redirect>,
    /// The operator behind the statement, `None` at the end of the list.
    pub operator: Option<(Operator, Span)>,
}

/// What joins a statement to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`
    Semicolon,
    /// A line end (only in here-document scripts)
    Newline,
    /// `&`
    Background,
}

/// A statement's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A simple command.
    Command(Command),
    /// `a | b`: two members or more.
    Pipeline(Vec<Statement>),
    /// `if`, a loop, `case`, `( … )`, `{ …; }`, a function.
    Compound(Compound),
}

/// A compound command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compound {
    /// Which one.
    pub kind: CompoundKind,
    /// Each list inside it, in source order (condition, then branch, …).
    pub lists: Vec<Vec<Statement>>,
    /// Commands inside the substitutions of what it says itself (`for x in $(…)`), in order.
    pub substitutions: Vec<Statement>,
}

/// The kinds of compound commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CompoundKind {
    Subshell,
    Group,
    If,
    Loop,
    Case,
    Function,
    /// `[[ … ]]`, `(( … ))`, `time`, `coproc` and the like.
    Other,
}

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// From the first assignment or word to the last word or redirect.
    pub span: Span,
    /// `NAME=value` before the name. A command of assignments only has no words.
    pub assignments: Vec<Word>,
    /// Name and arguments.
    pub words: Vec<Word>,
    /// Redirects, in order.
    pub redirects: Vec<Redirect>,
}

/// A shell word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands in the file.
    pub span: Span,
    /// As written, continuations joined.
    pub text: String,
    /// Its value after quote removal, where nothing in it expands (no variable, substitution, glob, brace or tilde).
    pub literal: Option<String>,
    /// Commands inside its substitutions, in order.
    pub substitutions: Vec<Statement>,
}

/// A redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// From the file descriptor or operator to the end of the target.
    pub span: Span,
    /// As written: `2>`, `>>`, `<<` …
    pub operator: String,
    /// The target, or the here-document's delimiter.
    pub target: Word,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Dockerfile;

    fn script_of(file: &str) -> Option<Script> {
        let parsed = Dockerfile::parse(file.as_bytes());
        let run = parsed.instructions().nth(1)?.clone();
        parse(&text_of(&run, file.as_bytes())?)
    }

    /// Each statement and operator of the top-level list, as it stands in the file.
    fn pieces(file: &str) -> Vec<&str> {
        let script = script_of(file).unwrap();
        let mut pieces = Vec::new();
        for statement in &script.statements {
            pieces.push(&file[statement.span.start as usize..statement.span.end as usize]);
            pieces.extend(
                statement
                    .operator
                    .map(|(_, span)| &file[span.start as usize..span.end as usize]),
            );
        }
        pieces
    }

    #[test]
    fn statements_and_operators_are_placed_in_the_file() {
        for (run, expected) in [
            ("a b && c || d; e & f", "a b|&&|c|\\|\\||d|;|e|&|f"),
            ("a | b && (c; d) > /x", "a \\| b|&&|(c; d) > /x"),
            ("if a; then b; fi && { c; }", "if a; then b; fi|&&|{ c; }"),
            (
                "! a 2>&1 >/dev/null; time b",
                "! a 2>&1 >/dev/null|;|time b",
            ),
            ("f() { a; }; X=1 f \"$(b)\"", "f() { a; }|;|X=1 f \"$(b)\""),
            ("while a; do b; done < x", "while a; do b; done < x"),
            ("exit 1; export A=b C", "exit 1|;|export A=b C"),
            ("a # b && c", "a"),
        ] {
            let file = format!("FROM x\nRUN {run}\n");
            let expected = expected.replace("\\|", "\u{1}");
            let expected: Vec<_> = expected.split('|').collect();
            let found: Vec<_> = pieces(&file)
                .into_iter()
                .map(|piece| piece.replace('|', "\u{1}"))
                .collect();
            assert_eq!(found, expected, "{run}");
        }
    }

    #[test]
    fn spans_cross_continuations_and_dropped_comments() {
        let file = "FROM x\nRUN a \\\n  # why\n  --b=c\\\nd && \\\n  e\n";
        assert_eq!(pieces(file), ["a \\\n  # why\n  --b=c\\\nd", "&&", "e"]);
        let script = script_of(file).unwrap();
        let words = &script.statements[0].command().unwrap().words;
        assert_eq!(words[1].text, "--b=cd");
        assert_eq!(words[1].literal.as_deref(), Some("--b=cd"));
    }

    #[test]
    fn a_heredoc_is_the_script_and_its_lines_are_statements() {
        let file = "FROM x\nRUN <<EOF\nset -e\na\n\n( b\nc )\nEOF\n";
        assert_eq!(pieces(file), ["set -e", "\n", "a", "\n", "( b\nc )"]);
        let tabs = "FROM x\nRUN <<-EOF\n\ta\n\t\tb\n\tEOF\n";
        assert_eq!(pieces(tabs), ["a", "\n", "b"]);
    }

    #[test]
    fn commands_are_seen_wherever_they_stand() {
        let script = script_of("FROM x\nRUN a | b; if c; then d; fi; e $(f) \"`g`\"\n").unwrap();
        let names: Vec<_> = script
            .commands()
            .iter()
            .map(|at| (at.command.name().unwrap_or("?").to_owned(), at.inside))
            .collect();
        let pipeline = Some(Inside::Pipeline);
        let branch = Some(Inside::Compound(CompoundKind::If));
        let inner = Some(Inside::Substitution);
        let expected = [
            ("a", pipeline),
            ("b", pipeline),
            ("c", branch),
            ("d", branch),
            ("e", None),
            ("f", inner),
            ("g", inner),
        ];
        assert_eq!(names, expected.map(|(name, at)| (name.to_owned(), at)));
    }

    #[test]
    fn failure_flow_follows_the_operators() {
        let fails = |run: &str, index| {
            let script = script_of(&format!("FROM x\nRUN {run}\n")).unwrap();
            script.failure_fails(index)
        };
        assert!(fails("a && b && c", 0));
        assert!(!fails("a; b", 0));
        assert!(fails("a; b", 1));
        assert!(!fails("a || b", 0));
        assert!(!fails("a && b || c", 0));
        assert!(fails("set -ex; a; b", 1));
        assert!(!fails("set -e; a && b; c", 1));
        assert!(!fails("a & b", 0));
    }

    #[test]
    fn what_is_not_shell_is_opaque() {
        assert_eq!(script_of("FROM x\nRUN a 'b\n"), None);
        assert_eq!(script_of("FROM x\nRUN a && && b\n"), None);
        assert_eq!(script_of("FROM x\nRUN [\"a\", \"b\"]\n"), None);
    }
}
