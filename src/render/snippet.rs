//! A message with the lines that it is about and what helps, as compilers show it: for people at a terminal.
//!
//! Nothing of a file reaches the terminal as it is: what a terminal would act on is shown as escapes.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Look, visible, visible_line};
use crate::text::{LineIndex, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Something cannot be done.
    Error,
    /// Something should be changed.
    Warning,
    /// Something is worth a thought.
    Note,
}

/// A message about a place in a file.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// How bad it is.
    pub weight: Weight,
    /// The rule that has something to say.
    pub rule: Option<&'a str>,
    /// What is there.
    pub title: &'a str,
    /// The file.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a [u8],
    /// The place.
    pub span: Span,
    /// What helps, a line each.
    pub help: Vec<String>,
    /// What else there is to know, a line each.
    pub notes: Vec<String>,
}

/// The message with the lines of its place, and a blank line.
pub fn snippet(message: &Message<'_>, look: Look) -> String {
    let excerpt = Excerpt::of(message.text, message.span);
    let place = AnnotationKind::Primary.span(excerpt.marked.0..excerpt.marked.1);
    let lines = Snippet::source(excerpt.text)
        .line_start(excerpt.line)
        .path(visible_line(&message.path.to_string_lossy()))
        .annotation(place);
    let level = match message.weight {
        Weight::Error => Level::ERROR,
        Weight::Warning => Level::WARNING,
        Weight::Note => Level::NOTE,
    };
    let mut title = level.primary_title(visible_line(message.title));
    if let Some(rule) = message.rule {
        title = title.id(visible_line(rule));
    }
    let help = message.help.iter();
    let help = help.map(|line| Level::HELP.message(visible_line(line)));
    let notes = message.notes.iter();
    let notes = notes.map(|line| Level::NOTE.message(visible_line(line)));
    let group = title.element(lines).elements(help).elements(notes);
    let renderer = match look.color {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    renderer.render(&[group]) + "\n\n"
}

/// The lines that a span touches, as they are safe on a terminal.
struct Excerpt {
    text: String,
    /// The 1-based number of the first one.
    line: usize,
    /// Where the span is in the text.
    marked: (usize, usize),
}

impl Excerpt {
    fn of(text: &[u8], span: Span) -> Self {
        let lines = LineIndex::new(text);
        let line = lines.line(span.start);
        let start = lines.start_of(line).unwrap_or_default() as usize;
        let trimmed = |end: usize| {
            let inside = &text[(span.start as usize).min(end)..end];
            let blank = inside
                .iter()
                .rev()
                .take_while(|byte| byte.is_ascii_whitespace());
            end - blank.count()
        };
        let end = trimmed((span.end as usize).min(text.len())).max(span.start as usize);
        let rest = text[end..].iter().position(|byte| *byte == b'\n');
        let last = rest.map_or(text.len(), |rest| end + rest);
        let last = last - usize::from(last > end && text[last - 1] == b'\r');
        let part = |from: usize, to: usize| {
            let part = visible(text.get(from..to).unwrap_or_default());
            part.replace("\r\n", "\n").replace('\r', "")
        };
        let (before, inside) = (
            part(start, span.start as usize),
            part(span.start as usize, end),
        );
        let marked = (before.len(), before.len() + inside.len());
        Self {
            text: before + &inside + &part(end, last),
            line: line as usize,
            marked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, place: &str) -> String {
        let start = u32::try_from(text.find(place).unwrap()).unwrap();
        let message = Message {
            weight: Weight::Warning,
            rule: Some("copy-not-add"),
            title: "`ADD` copies\u{1b} files",
            path: Path::new("a\u{1b}/Dockerfile"),
            text: text.as_bytes(),
            span: Span::new(start, start + u32::try_from(place.len()).unwrap()),
            help: vec!["use `COPY`".to_owned()],
            notes: Vec::new(),
        };
        snippet(&message, Look::default())
    }

    #[test]
    fn the_place_is_marked() {
        let expected = "\
warning[copy-not-add]: `ADD` copies\\u{1b} files
 --> a\\u{1b}/Dockerfile:2:1
  |
2 | ADD a /b # \\u{1b}[2J
  | ^^^^^^^^
  |
  = help: use `COPY`

";
        assert_eq!(
            shown("FROM x\nADD a /b # \u{1b}[2J\r\nRUN c\n", "ADD a /b"),
            expected
        );
    }

    #[test]
    fn several_lines_are_marked() {
        let text = "FROM x\nRUN a \\\n  b \\\n  c\nRUN d\n";
        let shown = shown(text, "RUN a \\\n  b \\\n  c\n");
        assert!(shown.contains("2 | / RUN a \\\n"), "{shown}");
        assert!(shown.contains("4 | |   c\n  | |___^\n"), "{shown}");
        assert!(!shown.contains("RUN d"), "{shown}");
    }
}
