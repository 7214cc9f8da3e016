//! Lines to items: directives, comments, instructions with their continuations and here-documents.

use std::cell::OnceCell;

use super::bytes::{is_blank, leading_space, lossy, trimmed_len};
use super::lexer::{self, Line, Lines, MAX_LINE};
use super::words::{self, Json};
use super::{
    Args, Directive, Dockerfile, Escape, Heredoc, Instruction, Item, Keyword, Logical, SyntaxError,
};
use super::{check, heredoc};
use crate::text::Span;

/// Parses a whole file.
pub(super) fn parse(text: &[u8]) -> Dockerfile {
    if u32::try_from(text.len()).is_err() {
        let message = "the file is larger than 4 GiB".to_owned();
        let error = SyntaxError {
            message,
            span: Span::default(),
            lines: (1, 1),
        };
        return Dockerfile {
            errors: vec![error],
            ..Dockerfile::default()
        };
    }
    let mut parser = Parser {
        text,
        lines: Lines::new(text),
        file: Dockerfile::default(),
        zone: Zone::Directives,
    };
    while let Some(line) = parser.next_line() {
        parser.item(line);
    }
    parser.finish()
}

/// Which parser directives still count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// All of them.
    Directives,
    /// `syntax` and `check` only: a `#!` line came first, which BuildKit skips when it looks for those two.
    AfterShebang,
    /// None any more.
    Over,
}

struct Parser<'a> {
    text: &'a [u8],
    lines: Lines<'a>,
    file: Dockerfile,
    zone: Zone,
}

impl Parser<'_> {
    fn next_line(&mut self) -> Option<Line> {
        let line = self.lines.next()?;
        let length = line.span.len();
        let ended = self.text.get(line.span.end as usize - 1) == Some(&b'\n');
        if length > MAX_LINE || length == MAX_LINE && !ended {
            // BuildKit names the last line that it could read.
            let before = line.number - 1;
            self.error(
                "dockerfile line greater than max allowed size of 65535",
                line.span,
                (before, before),
            );
        }
        Some(line)
    }

    fn error(&mut self, message: impl Into<String>, span: Span, lines: (u32, u32)) {
        self.file.errors.push(SyntaxError {
            message: message.into(),
            span,
            lines,
        });
    }

    fn item(&mut self, line: Line) {
        let content = line.content.of(self.text);
        if self.directive(line, content) {
            return;
        }
        let item = if lexer::is_blank_line(content) {
            Item::Blank(line.span)
        } else if lexer::is_comment(content) {
            Item::Comment(line.span)
        } else {
            Item::Instruction(self.instruction(line))
        };
        self.file.items.push(item);
    }

    /// Takes `line` as a parser directive if it is one.
    fn directive(&mut self, line: Line, content: &[u8]) -> bool {
        if self.zone == Zone::Over {
            return false;
        }
        let shebang = line.number == 1 && content.starts_with(b"#!");
        let found = lexer::directive(content).filter(|_| !shebang);
        let Some((name, value)) = found else {
            self.zone = match shebang {
                true => Zone::AfterShebang,
                false => Zone::Over,
            };
            return false;
        };
        if self.zone == Zone::AfterShebang && name == "escape" {
            return false;
        }
        let before = (line.number - 1, line.number - 1);
        if self.file.directives().any(|seen| seen.name == name) {
            let message = format!("only one {name} parser directive can be used");
            self.error(message, line.span, before);
        } else if name == "escape" {
            match value.as_str() {
                "\\" => self.file.escape = Escape::Backslash,
                "`" => self.file.escape = Escape::Backtick,
                _ => {
                    let message = format!("invalid escape token `{value}`: it must be ` or \\");
                    self.error(message, line.span, before);
                }
            }
        }
        self.file.items.push(Item::Directive(Directive {
            span: line.span,
            name,
            value,
            line: line.number,
        }));
        true
    }

    /// The instruction that starts on `first`.
    fn instruction(&mut self, first: Line) -> Instruction {
        let content = first.content.of(self.text);
        let indent = leading_space(content);
        let mut joined = Joined {
            logical: Logical::default(),
            comments: Vec::new(),
            span: first.span,
            last: first.number,
        };
        let start = Span::new(first.content.start + indent as u32, first.content.end);
        let mut open = joined.push(self.text, start, self.file.escape);
        while open {
            let Some(line) = self.next_line() else { break };
            joined.span = joined.span.cover(line.span);
            joined.last = line.number;
            let content = line.content.of(self.text);
            if lexer::is_comment(content) {
                joined.comments.push(line.span);
            } else if lexer::is_blank_line(content) {
                self.file.blank_continuations.push(line.span);
            } else {
                open = joined.push(self.text, line.content, self.file.escape);
            }
        }
        let mut instruction = self.read(joined, first.number);
        self.heredocs(&mut instruction);
        instruction
    }

    fn read(&mut self, joined: Joined, first: u32) -> Instruction {
        let lines = (first, joined.last);
        let length = joined.logical.text.len();
        let reader = Reader {
            escape: self.file.escape,
            span: joined.span,
            lines,
        };
        let (mut instruction, refused) = reader.read(joined.logical, 0..length);
        instruction.comments = joined.comments;
        if let Some(message) = refused {
            self.error(message, instruction.span, lines);
        }
        instruction
    }

    /// Reads the bodies of the here-documents that the instruction opens.
    fn heredocs(&mut self, instruction: &mut Instruction) {
        let opens = instruction.logical.text.windows(2).any(|two| two == b"<<");
        if !opens || !can_hold_heredocs(instruction) {
            return;
        }
        for opener in heredoc::openers(&instruction.logical.text) {
            let start = instruction.span.end;
            let mut body = Span::at(start);
            let mut terminated = false;
            while let Some(line) = self.next_line() {
                instruction.span.end = line.span.end;
                instruction.lines.1 = line.number;
                let content = line.content.of(self.text);
                let content = match opener.chomp {
                    true => without_tabs(content),
                    false => content,
                };
                if content == opener.name.as_bytes() {
                    terminated = true;
                    break;
                }
                body.end = line.span.end;
            }
            if !terminated {
                let (span, lines) = (instruction.span, instruction.lines);
                self.error("unterminated heredoc", span, lines);
                return;
            }
            instruction.heredocs.push(Heredoc {
                name: opener.name,
                fd: opener.fd,
                chomp: opener.chomp,
                expand: opener.expand,
                body,
            });
        }
    }

    fn finish(mut self) -> Dockerfile {
        if self.file.instructions().next().is_none() {
            let last = self.lines.number();
            let end = Span::at(self.text.len() as u32);
            self.error("file with no instructions", end, (last, last));
        }
        let mut refused = check::instructions(&self.file);
        self.file.errors.append(&mut refused);
        self.file.errors.sort_by_key(|error| error.span.start);
        self.file
    }
}

fn without_tabs(line: &[u8]) -> &[u8] {
    let tabs = line.iter().take_while(|byte| **byte == b'\t').count();
    &line[tabs..]
}

/// RUN, ADD and COPY (or ONBUILD of those) in another form than JSON.
fn can_hold_heredocs(instruction: &Instruction) -> bool {
    match &instruction.args {
        Args::Onbuild(child) => can_hold_heredocs(child),
        args => {
            let holds = [Keyword::Run, Keyword::Add, Keyword::Copy];
            holds.contains(&instruction.keyword) && !matches!(args, Args::Exec(_))
        }
    }
}

/// The lines of one instruction, joined as far as they were read.
struct Joined {
    logical: Logical,
    comments: Vec<Span>,
    span: Span,
    last: u32,
}

impl Joined {
    /// Adds a line; whether the instruction goes on.
    fn push(&mut self, text: &[u8], content: Span, escape: Escape) -> bool {
        let bytes = content.of(text);
        let kept = lexer::continued(bytes, escape);
        let at = self.logical.text.len() as u32;
        self.logical.segments.push((at, content.start));
        let kept_bytes = &bytes[..kept.unwrap_or(bytes.len())];
        self.logical.text.extend_from_slice(kept_bytes);
        kept.is_some()
    }
}

/// Reads a joined line into an instruction; ONBUILD reads its trigger from the same line.
#[derive(Clone, Copy)]
struct Reader {
    escape: Escape,
    span: Span,
    lines: (u32, u32),
}

impl Reader {
    /// The instruction in `range` of `logical`, and why BuildKit's parser refuses it.
    fn read(self, logical: Logical, range: words::Range) -> (Instruction, Option<String>) {
        let text = &logical.text[..range.end];
        let start = range.start + leading_space(&text[range.start..]);
        let end = start + trimmed_len(&text[start..]);
        let keyword_len = text[start..end].iter().take_while(|b| !is_blank(**b));
        let keyword_end = start + keyword_len.count();
        let keyword = Keyword::of(&text[start..keyword_end]);
        let (flags, args_start) = words::flags(&logical, keyword_end..end, self.escape);
        let args_start = args_start + leading_space(&text[args_start..end]);
        let args = args_start..end;
        let args_span = match args.is_empty() {
            true => words::empty_after(&logical, end),
            false => logical.file_span(args.start as u32, args.end as u32),
        };
        let (args, error) = match self.args(&logical, keyword, args) {
            Ok(args) => (args, None),
            Err(message) => (Args::Words(Vec::new()), Some(message)),
        };
        let instruction = Instruction {
            span: self.span,
            lines: self.lines,
            keyword,
            keyword_span: logical.file_span(start as u32, keyword_end as u32),
            flags,
            args,
            args_span,
            heredocs: Vec::new(),
            args_start: args_start as u32,
            args_end: end as u32,
            comments: Vec::new(),
            script: OnceCell::new(),
            logical,
        };
        (instruction, error)
    }

    fn args(
        self,
        logical: &Logical,
        keyword: Keyword,
        range: words::Range,
    ) -> Result<Args, String> {
        use Keyword as K;
        let not_strings = "a JSON array must hold strings only".to_owned();
        match keyword {
            K::Run | K::Cmd | K::Entrypoint | K::Shell => match words::json(logical, range) {
                Json::Strings(words) => Ok(Args::Exec(words)),
                Json::No => Ok(Args::Shell),
                Json::NotStrings => Err(not_strings),
            },
            K::Copy | K::Add | K::Volume => match words::json(logical, range.clone()) {
                Json::Strings(words) => Ok(Args::Exec(words)),
                Json::No => Ok(Args::Words(words::split_blanks(logical, range))),
                Json::NotStrings => Err(not_strings),
            },
            K::From | K::Expose => Ok(Args::Words(words::split_blanks(logical, range))),
            K::User | K::Workdir | K::Stopsignal | K::Maintainer => {
                let whole = (!range.is_empty()).then(|| words::word(logical, range));
                Ok(Args::Words(whole.into_iter().collect()))
            }
            K::Arg => {
                let ranges = words::split_quoted(logical, range, self.escape);
                let words = ranges.into_iter().map(|range| words::word(logical, range));
                Ok(Args::Words(words.collect()))
            }
            K::Env | K::Label => match words::pairs(logical, range, self.escape) {
                Ok(pairs) => Ok(Args::Pairs(pairs)),
                Err(Some(word)) => Err(format!(
                    "`{}` has no `=`: it must be of the form `name=value`",
                    word.text
                )),
                Err(None) => Err(format!("{keyword} must have two arguments")),
            },
            K::Healthcheck => self.healthcheck(logical, range, not_strings),
            K::Onbuild if range.is_empty() => Ok(Args::Words(Vec::new())),
            K::Onbuild => match self.read(logical.clone(), range) {
                (child, None) => Ok(Args::Onbuild(Box::new(child))),
                (_, Some(message)) => Err(message),
            },
            K::Unknown => Ok(Args::Shell),
        }
    }

    fn healthcheck(
        self,
        logical: &Logical,
        range: words::Range,
        not_strings: String,
    ) -> Result<Args, String> {
        if range.is_empty() {
            return Ok(Args::Words(Vec::new()));
        }
        let text = &logical.text[range.clone()];
        let is_space = |byte: &&u8| super::bytes::is_latin1_space(**byte);
        let kind = text.iter().take_while(|byte| !is_space(byte)).count();
        let spaces = text[kind..].iter().take_while(is_space).count();
        let command = range.start + kind + spaces..range.end;
        let command_start = command.start as u32;
        let exec = match words::json(logical, command) {
            Json::Strings(words) => Some(words),
            Json::No => None,
            Json::NotStrings => return Err(not_strings),
        };
        Ok(Args::Healthcheck {
            kind: words::word(logical, range.start..range.start + kind),
            exec,
            command_start,
        })
    }
}

impl Keyword {
    /// Every keyword that BuildKit knows, as the manual writes them.
    pub(crate) const ALL: [(&'static str, Keyword); 18] = [
        ("ADD", Keyword::Add),
        ("ARG", Keyword::Arg),
        ("CMD", Keyword::Cmd),
        ("COPY", Keyword::Copy),
        ("ENTRYPOINT", Keyword::Entrypoint),
        ("ENV", Keyword::Env),
        ("EXPOSE", Keyword::Expose),
        ("FROM", Keyword::From),
        ("HEALTHCHECK", Keyword::Healthcheck),
        ("LABEL", Keyword::Label),
        ("MAINTAINER", Keyword::Maintainer),
        ("ONBUILD", Keyword::Onbuild),
        ("RUN", Keyword::Run),
        ("SHELL", Keyword::Shell),
        ("STOPSIGNAL", Keyword::Stopsignal),
        ("USER", Keyword::User),
        ("VOLUME", Keyword::Volume),
        ("WORKDIR", Keyword::Workdir),
    ];

    /// The keyword that `word` spells, in any case.
    fn of(word: &[u8]) -> Self {
        let known = Self::ALL
            .iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        known.map_or(Self::Unknown, |(_, keyword)| *keyword)
    }

    /// The keyword in upper case; `?` for an unknown one.
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(_, keyword)| *keyword == self);
        known.map_or("?", |(name, _)| name)
    }
}

impl std::fmt::Display for Keyword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Instruction {
    /// The keyword as written, continuations joined.
    pub fn keyword_text(&self) -> String {
        let text = &self.logical.text;
        let start = leading_space(text);
        let length = text[start..].iter().take_while(|byte| !is_blank(**byte));
        let length = length.count();
        lossy(&text[start..start + length])
    }
}
