//! The lossless tree of a Dockerfile: what it says, byte for byte, as BuildKit reads it.
//!
//! Items tile the text: concatenated, they are the file. Parsing never fails and never panics; what BuildKit would
//! refuse is collected in [`Dockerfile::errors`]. A tree never says what an instruction *does*: that is the model's.

pub(crate) mod bytes;
mod check;
mod heredoc;
mod lexer;
mod parser;
mod reuse;
pub mod shell;
mod words;

use std::cell::OnceCell;

use crate::text::Span;

pub(crate) use check::{csv_fields, nanoseconds};

/// A parsed Dockerfile.
#[derive(Debug, Clone, Default)]
pub struct Dockerfile {
    /// Everything in the file, in order and without gaps.
    pub items: Vec<Item>,
    /// Why BuildKit would refuse the file, in the order of the text; empty when it would build it.
    pub errors: Vec<SyntaxError>,
    /// The escape character: `\`, or a backtick after `# escape=`.
    pub escape: Escape,
    /// Lines that are blank inside a continuation (BuildKit's NoEmptyContinuation), each with its line ending.
    pub blank_continuations: Vec<Span>,
}

/// The character that continues lines and quotes the next character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// `\`, unless the file says otherwise.
    #[default]
    Backslash,
    /// A backtick, for Windows paths.
    Backtick,
}

impl Escape {
    /// The byte itself.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Backslash => b'\\',
            Self::Backtick => b'`',
        }
    }
}

/// A piece of the file. Spans include the line ending (and a byte order mark, in the first one).
#[derive(Debug, Clone)]
pub enum Item {
    /// A parser directive, `# name=value`, in the block at the top.
    Directive(Directive),
    /// A comment line outside any instruction.
    Comment(Span),
    /// A blank line outside any instruction.
    Blank(Span),
    /// An instruction with all of its lines.
    Instruction(Instruction),
}

impl Item {
    /// The bytes of the item, whole lines with their endings.
    pub fn span(&self) -> Span {
        match self {
            Self::Directive(directive) => directive.span,
            Self::Comment(span) | Self::Blank(span) => *span,
            Self::Instruction(instruction) => instruction.span,
        }
    }
}

/// A parser directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The whole line.
    pub span: Span,
    /// `syntax`, `escape` or `check`, lower case.
    pub name: String,
    /// The value, trimmed.
    pub value: String,
    /// 1-based line.
    pub line: u32,
}

/// What BuildKit would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, lower case, names in backticks.
    pub message: String,
    /// The instruction or line that is refused.
    pub span: Span,
    /// 1-based lines, first and last.
    pub lines: (u32, u32),
}

/// An instruction's keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// Not a keyword that BuildKit knows; it refuses the file.
    Unknown,
}

/// One instruction with all of its physical lines, dropped comments and here-document bodies.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// Whole lines, from the first byte of the first to the last line ending.
    pub span: Span,
    /// 1-based lines, first and last; the terminator of the last here-document included.
    pub lines: (u32, u32),
    /// What the instruction is.
    pub keyword: Keyword,
    /// The keyword as written.
    pub keyword_span: Span,
    /// `--name=value` words before the arguments, in order.
    pub flags: Vec<Flag>,
    /// The arguments.
    pub args: Args,
    /// From the first byte of the arguments to the last, without trailing white space; empty, and after the keyword
    /// and flags, where there are none. Here-document bodies are not in it.
    pub args_span: Span,
    /// Here-documents in the order of their bodies.
    pub heredocs: Vec<Heredoc>,
    /// The instruction as one line, as BuildKit joins continuations.
    pub logical: Logical,
    /// Where the arguments start in `logical`.
    pub args_start: u32,
    /// Where they end, trailing white space left out.
    pub args_end: u32,
    /// Comment lines that were dropped inside the continuation, each with its line ending.
    pub comments: Vec<Span>,
    /// What [`Instruction::script`] gave, once it was asked for.
    script: OnceCell<Option<Box<shell::Script>>>,
}

/// A flag such as `--from=build`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The word as written, in the file.
    pub span: Span,
    /// Name without dashes.
    pub name: String,
    /// What stands after `=`, quotes and escapes removed as BuildKit does.
    pub value: Option<String>,
}

/// The arguments of an instruction.
#[derive(Debug, Clone)]
pub enum Args {
    /// Shell form, or text that BuildKit takes as one argument: `logical` from `args_start` on.
    Shell,
    /// JSON array form.
    Exec(Vec<Word>),
    /// Words split at white space (FROM, EXPOSE, COPY, ARG, …).
    Words(Vec<Word>),
    /// ENV and LABEL.
    Pairs(Vec<Pair>),
    /// HEALTHCHECK: `NONE`, or `CMD` and its command.
    Healthcheck {
        /// `CMD` or `NONE` as written.
        kind: Word,
        /// The words of the exec form; `None` for the shell form, whose text starts at `command_start` of `logical`.
        exec: Option<Vec<Word>>,
        /// Where the command starts in `logical`.
        command_start: u32,
    },
    /// ONBUILD: the instruction it triggers. Its spans are those of the file.
    Onbuild(Box<Instruction>),
}

/// A word of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands in the file; it may cross continuations.
    pub span: Span,
    /// Its text after continuations are joined, quotes kept (JSON strings: decoded). Bytes that are not UTF-8 show
    /// as U+FFFD.
    pub text: String,
}

/// One `KEY=value` of ENV or LABEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key, quotes kept.
    pub key: Word,
    /// The value, quotes kept.
    pub value: Word,
    /// The `KEY value` form without `=`.
    pub legacy: bool,
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The terminator's name.
    pub name: String,
    /// File descriptor before `<<`; 0 where none is written.
    pub fd: u32,
    /// `<<-`: leading tabs do not count.
    pub chomp: bool,
    /// Whether the builder (COPY, ADD) or the shell (RUN) expands variables in the body: the name was not quoted.
    pub expand: bool,
    /// The body: whole lines, without the terminator's.
    pub body: Span,
}

/// The joined text of an instruction, with the way back to the file.
#[derive(Debug, Clone, Default)]
pub struct Logical {
    /// The joined bytes: keyword, flags and arguments, without line endings and continuation characters.
    pub text: Vec<u8>,
    /// `(offset in text, offset in the file)` of each piece, ascending. Never empty once built.
    pub segments: Vec<(u32, u32)>,
}

impl Logical {
    /// The file offset of byte `at` of the joined text. Past the end: one past the last byte.
    pub fn to_file(&self, at: u32) -> u32 {
        let index = self.segments.partition_point(|(logical, _)| *logical <= at);
        let Some((logical, file)) = index.checked_sub(1).and_then(|i| self.segments.get(i)) else {
            return 0;
        };
        file + (at - logical)
    }

    /// The file span of bytes `start..end` of the joined text. The end is that of the last byte in the range, so
    /// that a continuation behind it is not part of the span.
    pub fn file_span(&self, start: u32, end: u32) -> Span {
        let first = self.to_file(start);
        if end <= start {
            return Span::at(first);
        }
        Span::new(first, self.to_file(end - 1) + 1)
    }
}

impl Logical {
    /// Bytes `start..end` of the joined text, with their way back.
    pub fn slice(&self, start: u32, end: u32) -> Logical {
        let text = self.text.get(start as usize..end as usize);
        let first = (0, self.to_file(start));
        let later = self
            .segments
            .iter()
            .filter(|(at, _)| *at > start && *at < end);
        let later = later.map(|(at, file)| (at - start, *file));
        Logical {
            text: text.unwrap_or_default().to_vec(),
            segments: std::iter::once(first).chain(later).collect(),
        }
    }

    /// Adds the bytes of the file's `span`.
    pub fn push(&mut self, span: Span, file: &[u8]) {
        self.push_bytes(span.start, span.of(file));
    }

    /// Adds `bytes`, which stand (or would stand) at offset `at` of the file.
    pub fn push_bytes(&mut self, at: u32, bytes: &[u8]) {
        self.segments.push((self.text.len() as u32, at));
        self.text.extend_from_slice(bytes);
    }
}

impl Dockerfile {
    /// Parses `text`. Linear in its length; texts over 4 GiB are refused with one error.
    pub fn parse(text: &[u8]) -> Self {
        parser::parse(text)
    }

    /// The instructions, in order.
    pub fn instructions(&self) -> impl DoubleEndedIterator<Item = &Instruction> {
        self.items.iter().filter_map(|item| match item {
            Item::Instruction(instruction) => Some(instruction),
            _ => None,
        })
    }

    /// The parser directives at the top.
    pub fn directives(&self) -> impl Iterator<Item = &Directive> {
        self.items.iter().filter_map(|item| match item {
            Item::Directive(directive) => Some(directive),
            _ => None,
        })
    }

    /// Whether BuildKit would build the file.
    pub fn is_accepted(&self) -> bool {
        self.errors.is_empty()
    }
}

impl Instruction {
    /// The words, where the arguments are words.
    pub fn words(&self) -> &[Word] {
        match &self.args {
            Args::Words(words) | Args::Exec(words) => words,
            _ => &[],
        }
    }

    /// The pairs of ENV and LABEL.
    pub fn pairs(&self) -> &[Pair] {
        match &self.args {
            Args::Pairs(pairs) => pairs,
            _ => &[],
        }
    }

    /// The first flag of that name.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }

    /// Whether the arguments are a JSON array.
    pub fn is_exec(&self) -> bool {
        matches!(self.args, Args::Exec(_))
    }

    /// The joined text of the arguments.
    pub fn args_text(&self) -> &[u8] {
        self.logical
            .text
            .get(self.args_start as usize..self.args_end as usize)
            .unwrap_or_default()
    }
}
