//! Dockerfiles inside compose files: `services.<name>.build.dockerfile_inline`.
//!
//! Only a block that is written plainly, with `|`, is read, and only where the lines of the file are, indentation aside,
//! what YAML makes of them. A `$` that compose would fill in is never guessed, and a text that does not come out of YAML
//! as it went in is never handed out: every other byte of the file stays, and every other value.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::value::Value;
use crate::text::{Edit, Patch, Span};

/// The key under which a Dockerfile stands.
pub const KEY: &str = "dockerfile_inline";

/// Whether compose files have such a name.
pub fn is_compose(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose"))
}

/// A Dockerfile inside a compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// The service that it builds.
    pub service: String,
    /// The Dockerfile.
    pub text: String,
    /// Where each byte of the text is in the file, and where its end is.
    offsets: Vec<u32>,
    /// Its lines in the file, indentation included.
    block: Range<usize>,
    indent: usize,
}

/// A Dockerfile that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The service that it builds.
    pub service: String,
    /// The 1-based line of the file, where it is known.
    pub line: Option<u32>,
    /// Why.
    pub reason: &'static str,
}

/// The Dockerfiles in the text of a compose file, in its order.
///
/// # Errors
/// Where it is not YAML.
pub fn inlines(file: &str) -> Result<Vec<Result<Inline, Left>>, String> {
    let documents = Value::from_yaml(file)?;
    let mut found = Vec::new();
    for candidate in candidates(file)? {
        let inline = candidate.read(file);
        found.push(inline.map_err(|reason| Left {
            service: candidate.service.clone(),
            line: Some(candidate.line),
            reason,
        }));
    }
    if documents.len() > 1 {
        let reason = "the file holds several documents";
        found = found
            .into_iter()
            .map(|one| Err(left(one, reason)))
            .collect();
    }
    let services = documents.iter().filter_map(|one| one.get("services"));
    for (service, value) in services.flat_map(Value::entries) {
        let is_inline = value
            .get("build")
            .and_then(|build| build.get(KEY))
            .is_some();
        if is_inline && !found.iter().any(|one| of(one) == service) {
            found.push(Err(Left {
                service: service.clone(),
                line: None,
                reason: "it stands behind an alias",
            }));
        }
    }
    Ok(found)
}

fn of(one: &Result<Inline, Left>) -> &str {
    match one {
        Ok(inline) => &inline.service,
        Err(left) => &left.service,
    }
}

fn left(one: Result<Inline, Left>, reason: &'static str) -> Left {
    match one {
        Ok(inline) => Left {
            service: inline.service,
            line: None,
            reason,
        },
        Err(left) => left,
    }
}

/// `file` with these texts in place of what its Dockerfiles hold; `None` where that cannot be written so that YAML
/// reads it back, and everything else as before.
pub fn replaced(file: &str, changes: &[(&Inline, &str)]) -> Option<String> {
    let edits = changes.iter().map(|(inline, text)| {
        let span = Span::new(offset(inline.block.start), offset(inline.block.end));
        Some(Edit::replace(span, inline.rendered(file, text)?))
    });
    let patch = Patch::new(edits.collect::<Option<_>>()?).ok()?;
    let after = String::from_utf8(patch.apply(file.as_bytes())).ok()?;
    reads_back(file, &after, changes).then_some(after)
}

/// Whether YAML reads from `after` what it reads from `file`, but for the texts of `changes`.
fn reads_back(file: &str, after: &str, changes: &[(&Inline, &str)]) -> bool {
    let (Ok(mut expected), Ok(found)) = (Value::from_yaml(file), Value::from_yaml(after)) else {
        return false;
    };
    let is_set = changes.iter().all(|(inline, text)| {
        let path = ["services", &inline.service, "build", KEY];
        let value = Value::Text(text.replace('$', "$$"));
        let documents = expected.first_mut();
        documents.is_some_and(|document| document.set(&path, value))
    });
    is_set && expected == found
}

/// A scalar under the key.
struct Candidate {
    service: String,
    /// The 1-based line of its key.
    line: u32,
    value: String,
    style: ScalarStyle,
    is_plain: bool,
}

/// A collection that the reader is in.
enum Open {
    /// The key whose value is read, and its 1-based line; `None` where a key comes next.
    Map(Option<(String, usize)>),
    List,
}

fn candidates(file: &str) -> Result<Vec<Candidate>, String> {
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(file) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        match event {
            Event::MappingStart(..) => open.push(Open::Map(None)),
            Event::SequenceStart(..) => open.push(Open::List),
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                turn(&mut open, "?", 0);
            }
            Event::Alias(..) => turn(&mut open, "?", 0),
            Event::Scalar(value, style, anchor, tag) => {
                if let Some((service, line)) = service(&open) {
                    found.push(Candidate {
                        service: service.to_owned(),
                        line: u32::try_from(line).unwrap_or(u32::MAX),
                        value: value.to_string(),
                        style,
                        is_plain: anchor == 0 && tag.is_none(),
                    });
                }
                turn(&mut open, &value, span.start.line());
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Goes on from a key, which is `name`, to its value, or from a value to the next key.
fn turn(open: &mut [Open], name: &str, line: usize) {
    if let Some(Open::Map(key)) = open.last_mut() {
        *key = match key {
            Some(_) => None,
            None => Some((name.to_owned(), line)),
        };
    }
}

/// The service whose Dockerfile is read next, and the line of the key.
fn service(open: &[Open]) -> Option<(&str, usize)> {
    let keys = open.iter().map(|one| match one {
        Open::Map(Some((name, line))) => Some((name.as_str(), *line)),
        _ => None,
    });
    let keys: Vec<_> = keys.collect::<Option<_>>()?;
    match keys.as_slice() {
        [("services", _), (service, _), ("build", _), (KEY, line)] => Some((service, *line)),
        _ => None,
    }
}

impl Candidate {
    fn read(&self, file: &str) -> Result<Inline, &'static str> {
        match self.style {
            ScalarStyle::Literal => {}
            ScalarStyle::Folded => return Err("its block is folded: `>` in place of `|`"),
            _ => return Err("it is no block: write it with `|`"),
        }
        if !self.is_plain {
            return Err("it has an anchor or a tag");
        }
        let unknown = "its lines are not those that YAML reads";
        let lines = lines_of(file);
        let header = lines.get(self.line as usize - 1).ok_or(unknown)?;
        let keeps = keeps_blanks(&file[header.clone()]).ok_or(unknown)?;
        let body = &lines[self.line as usize..];
        let (count, indent) = extent(file, body, keeps).ok_or(unknown)?;
        let body = &body[..count];
        let (Some(first), Some(last)) = (body.first(), body.last()) else {
            return Err("it is empty");
        };
        let mut inline = Inline {
            service: self.service.clone(),
            text: String::new(),
            offsets: Vec::new(),
            block: first.start..last.end,
            indent,
        };
        let mut raw = inline.take(file, body)?;
        if raw != self.value {
            // `|-`, and the last line of a file.
            raw.pop();
            inline.text.pop();
            inline.offsets.pop();
        }
        match raw == self.value {
            true => inline.offsets.push(offset(last.end)),
            false => return Err(unknown),
        }
        Ok(inline)
    }
}

/// Whether the block that `header` begins keeps blank lines at its end (`|+`); `None` for what is no such line.
fn keeps_blanks(header: &str) -> Option<bool> {
    let (_, rest) = header.split_once(KEY)?;
    let rest = rest.trim_start_matches(['"', '\'']).trim_start();
    let rest = rest.strip_prefix(':')?.trim_start().strip_prefix('|')?;
    let mark = rest.split(" #").next().unwrap_or_default().trim_end();
    match mark {
        "" | "-" => Some(false),
        "+" => Some(true),
        _ => None,
    }
}

/// How many of these lines are of the block that they begin, and how far it is indented.
fn extent(file: &str, body: &[Range<usize>], keeps: bool) -> Option<(usize, usize)> {
    let indent_of = |line: &Range<usize>| {
        let line = file[line.clone()].trim_end_matches(['\n', '\r']);
        let spaces = line.len() - line.trim_start_matches(' ').len();
        (spaces < line.len()).then_some(spaces)
    };
    let indent = body.iter().find_map(indent_of)?;
    let is_inside = |line: &&Range<usize>| indent_of(line).is_none_or(|own| own >= indent);
    let mut count = body.iter().take_while(is_inside).count();
    while !keeps && count > 0 && indent_of(&body[count - 1]).is_none() {
        count -= 1;
    }
    (indent > 0).then_some((count, indent))
}

impl Inline {
    /// Takes over the lines of the block. Returns what YAML reads: the text before compose fills in variables.
    fn take(&mut self, file: &str, body: &[Range<usize>]) -> Result<String, &'static str> {
        let mut raw = String::new();
        for line in body {
            let content = file[line.clone()].trim_end_matches('\n');
            let skipped = self.indent.min(content.len());
            let content = &content[skipped..];
            raw.push_str(content);
            raw.push('\n');
            let mut at = line.start + skipped;
            let mut rest = content;
            while let Some(char) = rest.chars().next() {
                let taken = match rest.strip_prefix('$') {
                    None => char.len_utf8(),
                    Some(rest) if rest.starts_with('$') => 2,
                    Some(_) => return Err("compose fills in its variables: `$$` is a `$`"),
                };
                self.text.push(char);
                self.offsets
                    .extend((0..char.len_utf8()).map(|byte| offset(at + byte)));
                (at, rest) = (at + taken, &rest[taken..]);
            }
            self.text.push('\n');
            self.offsets.push(offset(at));
        }
        Ok(raw)
    }

    /// Where `span` of the text is in the file.
    pub fn span(&self, span: Span) -> Span {
        let at = |offset: u32| {
            let last = self.offsets.last().copied().unwrap_or_default();
            self.offsets.get(offset as usize).copied().unwrap_or(last)
        };
        let start = at(span.start);
        if span.is_empty() {
            return Span::at(start);
        }
        let last = span.end - 1;
        let is_dollar = self.text.as_bytes().get(last as usize) == Some(&b'$');
        Span::new(start, at(last) + if is_dollar { 2 } else { 1 })
    }

    /// `patch` of the text as one of the file; `None` where it cannot be told so that YAML reads what it makes.
    pub fn patch(&self, file: &str, patch: &Patch) -> Option<Patch> {
        let edits = patch.edits().iter().map(|edit| {
            let insert = std::str::from_utf8(&edit.insert).ok()?.replace('$', "$$");
            let margin = " ".repeat(self.indent);
            let mut insert = insert.replace('\n', &format!("\n{margin}"));
            let Span { start, end } = edit.span;
            let mut span = self.span(edit.span);
            // A line is replaced with its end: what follows has its margin still.
            let ends_line =
                end > start && self.text.as_bytes().get(end as usize - 1) == Some(&b'\n');
            let is_last = start as usize == self.text.len();
            if is_last && self.text.ends_with('\n') {
                insert = margin.clone() + insert.strip_suffix(&margin).unwrap_or(&insert);
            } else if ends_line {
                insert = insert.strip_suffix(&margin).unwrap_or(&insert).to_owned();
                if !insert.ends_with('\n') || end as usize == self.text.len() {
                    // The margin of the line that is taken away, or joined.
                    let is_whole = insert.is_empty() && self.begins_line(start);
                    match is_whole {
                        true => span.start -= u32::try_from(self.indent).ok()?,
                        false if insert.ends_with('\n') => {}
                        false => return None,
                    }
                }
            }
            Some(Edit::replace(span, insert))
        });
        let lifted = Patch::new(edits.collect::<Option<_>>()?).ok()?;
        let after = String::from_utf8(lifted.apply(file.as_bytes())).ok()?;
        let text = String::from_utf8(patch.apply(self.text.as_bytes())).ok()?;
        reads_back(file, &after, &[(self, &text)]).then_some(lifted)
    }

    fn begins_line(&self, at: u32) -> bool {
        let before = (at as usize).checked_sub(1);
        before.is_none_or(|before| self.text.as_bytes().get(before) == Some(&b'\n'))
    }

    /// The block with `text` in place of its own; lines that stay are those of the file.
    fn rendered(&self, file: &str, text: &str) -> Option<String> {
        let block = &file[self.block.clone()];
        let before: Vec<&str> = self.text.lines().collect();
        let after: Vec<&str> = text.lines().collect();
        let stood: Vec<&str> = block.lines().collect();
        if stood.len() != before.len() {
            return None;
        }
        let mut lines = Vec::new();
        for op in capture_diff_slices(Algorithm::Myers, &before, &after) {
            if let DiffOp::Equal { old_index, len, .. } = op {
                let stays = &stood[old_index..old_index + len];
                lines.extend(stays.iter().map(|line| (*line).to_owned()));
                continue;
            }
            lines.extend(
                after[op.new_range()]
                    .iter()
                    .map(|line| match line.is_empty() {
                        true => String::new(),
                        false => " ".repeat(self.indent) + &line.replace('$', "$$"),
                    }),
            );
        }
        let end = if block.ends_with('\n') { "\n" } else { "" };
        Some(lines.join("\n") + end)
    }
}

/// The lines of a text, each with its end.
fn lines_of(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        at += line.len();
        at - line.len()..at
    });
    lines.collect()
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
