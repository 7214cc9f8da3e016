//! Text and changes to text: sources, byte spans, edits and patches.
//!
//! Knows nothing of Dockerfiles. A `Patch` never holds two edits that overlap.

use std::path::PathBuf;

/// A file as it was read: its path as the user named it and its bytes. Dockerfiles need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path that reports name.
    pub path: PathBuf,
    /// The bytes, exactly as stored.
    pub text: Vec<u8>,
}

/// Whether `part`, which is not empty, stands somewhere in `text`.
pub fn contains(text: &[u8], part: impl AsRef<[u8]>) -> bool {
    let part = part.as_ref();
    !part.is_empty() && memchr::memmem::find(text, part).is_some()
}

/// A half-open range of bytes of one particular text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The empty span before byte `at`.
    pub const fn at(at: u32) -> Self {
        Self { start: at, end: at }
    }

    /// Number of bytes.
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the span holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether every byte of `other` lies in this span.
    pub const fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that holds both.
    pub fn cover(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The bytes of `text` in this span; empty where the span lies outside.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// One replacement: the bytes of `span` give way to `insert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub insert: Vec<u8>,
}

impl Edit {
    /// Replaces `span` by `text`.
    pub fn replace(span: Span, text: impl Into<Vec<u8>>) -> Self {
        let insert = text.into();
        Self { span, insert }
    }

    /// Inserts `text` before byte `at`.
    pub fn insert(at: u32, text: impl Into<Vec<u8>>) -> Self {
        Self::replace(Span::at(at), text)
    }

    /// Removes `span`.
    pub fn delete(span: Span) -> Self {
        Self::replace(span, Vec::new())
    }
}

/// Edits of one text, sorted and disjoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    edits: Vec<Edit>,
}

/// Two edits of one patch claim the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// The bytes that both claim (for two insertions at one place: the place).
    pub span: Span,
}

impl Patch {
    /// The patch that changes nothing.
    pub const fn empty() -> Self {
        Self { edits: Vec::new() }
    }

    /// A patch of these edits, in any order.
    ///
    /// # Errors
    /// `Overlap` when two edits share a byte, or two insertions share a place: their order would be a guess.
    pub fn new(mut edits: Vec<Edit>) -> Result<Self, Overlap> {
        edits.sort_by_key(|edit| edit.span);
        for pair in edits.windows(2) {
            let (left, right) = (pair[0].span, pair[1].span);
            if right.start < left.end || left == right {
                return Err(Overlap { span: right });
            }
        }
        Ok(Self { edits })
    }

    /// Both patches, of the same text, as one.
    ///
    /// # Errors
    /// `Overlap` as in [`Patch::new`].
    pub fn union(&self, other: &Patch) -> Result<Self, Overlap> {
        Self::new(self.edits.iter().chain(&other.edits).cloned().collect())
    }

    /// The edits, in the order of the text.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The span of the text from the first edit to the last.
    pub fn span(&self) -> Option<Span> {
        let (first, last) = (self.edits.first()?, self.edits.last()?);
        Some(first.span.cover(last.span))
    }

    /// The text after the patch. Edits outside `text` are cut to it.
    pub fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 64);
        let mut at = 0;
        for edit in &self.edits {
            let start = (edit.span.start as usize).clamp(at, text.len());
            out.extend_from_slice(&text[at..start]);
            out.extend_from_slice(&edit.insert);
            at = (edit.span.end as usize).clamp(start, text.len());
        }
        out.extend_from_slice(&text[at..]);
        out
    }

    /// The way from the patched text back to the text before.
    pub fn way_back(&self) -> WayBack {
        let mut shift: i64 = 0;
        let pieces = self.edits.iter().map(|edit| {
            let start = i64::from(edit.span.start) + shift;
            shift += edit.insert.len() as i64 - edit.span.len() as i64;
            Piece {
                start,
                end: start + edit.insert.len() as i64,
                old: edit.span.start,
                shift,
            }
        });
        WayBack {
            pieces: pieces.collect(),
        }
    }
}

/// Where the bytes of a patched text came from.
#[derive(Debug, Clone, Default)]
pub struct WayBack {
    pieces: Vec<Piece>,
}

/// One edit, in the patched text: what it inserted, and how far everything behind it moved.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: i64,
    end: i64,
    old: u32,
    shift: i64,
}

impl WayBack {
    /// Where byte `offset` of the patched text was in the text before. A byte that the patch inserted maps to the
    /// start of what it replaced.
    pub fn offset(&self, offset: u32) -> u32 {
        let at = i64::from(offset);
        let index = self.pieces.partition_point(|piece| piece.start <= at);
        let Some(piece) = index.checked_sub(1).and_then(|last| self.pieces.get(last)) else {
            return offset;
        };
        match at < piece.end {
            true => piece.old,
            false => u32::try_from(at - piece.shift).unwrap_or(0),
        }
    }

    /// Where `span` of the patched text was in the text before; `None` where it meets what the patch inserted, or a
    /// place where it took something away.
    pub fn span(&self, span: Span) -> Option<Span> {
        let (start, end) = (i64::from(span.start), i64::from(span.end));
        let next = self.pieces.partition_point(|piece| piece.end < start);
        if self
            .pieces
            .get(next)
            .is_some_and(|piece| piece.start <= end)
        {
            return None;
        }
        let shift = match next.checked_sub(1) {
            Some(last) => self.pieces.get(last)?.shift,
            None => 0,
        };
        let before = |at: i64| u32::try_from(at - shift).ok();
        Some(Span::new(before(start)?, before(end)?))
    }
}

/// Line and column of byte offsets. Lines end at `\n` only, as in BuildKit.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// The index of one text.
    pub fn new(text: &[u8]) -> Self {
        let ends = memchr::memchr_iter(b'\n', text).map(|at| at as u32 + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { starts }
    }

    /// The 1-based line of byte `offset`.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// The 1-based line, and the 1-based column in bytes, of byte `offset`.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.line(offset);
        (line, offset - self.starts[line as usize - 1] + 1)
    }

    /// The offset at which 1-based `line` starts, if there is such a line.
    pub fn start_of(&self, line: u32) -> Option<u32> {
        self.starts
            .get(usize::try_from(line).ok()?.checked_sub(1)?)
            .copied()
    }
}
