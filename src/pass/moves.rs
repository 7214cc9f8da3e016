//! Steps that move down, or go: the edits that put them below a later step of their stage, with the comments above them.
//!
//! Never asks whether a step may move. Blank lines go along where they part what moves from its neighbours.

use crate::pass::PassContext;
use crate::pass::runs::shown_span;
use crate::syntax::{Instruction, Item, Keyword};
use crate::text::{Edit, Span};

/// A step, and the later one below which it goes.
pub type Move<'a> = (&'a Instruction, &'a Instruction);

/// The edits of these moves, which are in the order of the file. What goes to the same place keeps its order.
#[must_use]
pub fn edits(cx: &PassContext<'_>, moves: &[Move<'_>]) -> Vec<Edit> {
    let blocks = blocks(&cx.file.items, moves);
    let mut edits: Vec<Edit> = blocks
        .iter()
        .map(|block| block.removal(&cx.file.items))
        .collect();
    let mut places: Vec<usize> = blocks.iter().map(|block| block.below).collect();
    places.sort_unstable();
    places.dedup();
    for below in places {
        let there: Vec<&Block> = blocks.iter().filter(|one| one.below == below).collect();
        edits.extend(insertion(cx, below, &there));
    }
    edits
}

/// The edit that takes a step out, with the comments above it, and leaves one gap where there were two.
#[must_use]
pub fn removal(cx: &PassContext<'_>, step: &Instruction) -> Edit {
    let items = &cx.file.items;
    let at = index_of(items, step);
    let start = with_comments(items, at);
    let block = Block {
        items: (start, at + 1),
        below: at,
        blank_before: start > 0 && is_blank(&items[start - 1]),
        blank_after: items.get(at + 1).is_some_and(is_blank),
    };
    block.removal(items)
}

/// What a finding speaks of that points at `span` and moves these: where another line comes to end the file without a
/// line ending, that too.
#[must_use]
pub fn spoken_of(cx: &PassContext<'_>, moves: &[Move<'_>], span: Span) -> Span {
    let last = cx.file.instructions().next_back();
    let Some(last) = last.filter(|_| !cx.text.ends_with(b"\n")) else {
        return span;
    };
    match moves.iter().any(|(_, below)| below.span == last.span) {
        false => span,
        true => moves
            .iter()
            .fold(span.cover(shown_span(last)), |span, (one, _)| {
                span.cover(shown_span(one))
            }),
    }
}

/// Items that move together: instructions with their comments, and the blank lines between them.
struct Block {
    /// The first item and the one behind the last.
    items: (usize, usize),
    /// The item below which it goes.
    below: usize,
    blank_before: bool,
    blank_after: bool,
}

fn blocks(items: &[Item], moves: &[Move<'_>]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (instruction, below) in moves {
        let at = index_of(items, instruction);
        let below = index_of(items, below);
        let start = with_comments(items, at);
        let joins = |block: &&mut Block| {
            block.below == below && items[block.items.1..start].iter().all(is_blank)
        };
        match blocks.last_mut().filter(joins) {
            Some(block) => block.items.1 = at + 1,
            None => blocks.push(Block {
                items: (start, at + 1),
                below,
                blank_before: start > 0 && is_blank(&items[start - 1]),
                blank_after: false,
            }),
        }
    }
    for block in &mut blocks {
        block.blank_after = items.get(block.items.1).is_some_and(is_blank);
    }
    blocks
}

impl Block {
    fn is_paragraph(&self) -> bool {
        self.blank_before && self.blank_after
    }

    fn span(&self, items: &[Item]) -> Span {
        let (start, end) = self.items;
        items[start].span().cover(items[end - 1].span())
    }

    /// Takes it out, and of two blank gaps that would meet the second one.
    fn removal(&self, items: &[Item]) -> Edit {
        let behind = items[self.items.1..].iter();
        let blanks = behind.take_while(|item| self.is_paragraph() && is_blank(item));
        let span = blanks.fold(self.span(items), |span, item| span.cover(item.span()));
        Edit::delete(span)
    }
}

fn insertion(cx: &PassContext<'_>, below: usize, blocks: &[&Block]) -> Option<Edit> {
    let items = &cx.file.items;
    let ending: &[u8] = match cx.text.windows(2).any(|pair| pair == b"\r\n") {
        true => b"\r\n",
        false => b"\n",
    };
    let next = items.get(below + 1);
    let is_unended = next.is_none() && !cx.text.ends_with(b"\n");
    let is_parted = blocks.iter().any(|one| one.blank_before || one.blank_after);
    let is_end = next.is_none_or(is_blank) && (is_parted || goes_on(&items[below + 1..]));
    let mut text = Vec::new();
    if is_unended {
        text.extend_from_slice(ending);
    }
    for (index, block) in blocks.iter().enumerate() {
        let starts = index == 0 && is_end;
        if starts || block.is_paragraph() {
            text.extend_from_slice(ending);
        }
        text.extend_from_slice(block.span(items).of(cx.text));
    }
    if is_unended {
        text.truncate(text.len() - ending.len());
    }
    Some(Edit::insert(items.get(below)?.span().end, text))
}

/// Whether another step of the stage follows.
fn goes_on(items: &[Item]) -> bool {
    let next = items.iter().find_map(|item| match item {
        Item::Instruction(next) => Some(next.keyword),
        _ => None,
    });
    next.is_some_and(|keyword| keyword != Keyword::From)
}

fn is_blank(item: &Item) -> bool {
    matches!(item, Item::Blank(_))
}

fn index_of(items: &[Item], instruction: &Instruction) -> usize {
    items.partition_point(|item| item.span().start < instruction.span.start)
}

/// The first of the comments directly above item `at`, or `at` where there are none.
fn with_comments(items: &[Item], at: usize) -> usize {
    let above = items[..at].iter().rev();
    let comments = above.take_while(|item| matches!(item, Item::Comment(_)));
    at - comments.count()
}
