//! The two stages as they are written.

use super::parts::Parts;
use super::{Runtime, install};
use crate::pass::PassContext;
use crate::pass::layout::line_ending;
use crate::pass::moves;
use crate::pass::runs::{Stage, shown_span};
use crate::syntax::{Instruction, Keyword};
use crate::text::{Edit, Span};

/// The edits that make two stages of one.
pub(super) fn edits(
    cx: &PassContext<'_>,
    stage: &Stage<'_>,
    parts: &Parts,
    runtime: Runtime,
) -> Vec<Edit> {
    let last = stage.steps[parts.last].instruction;
    let builder = builder_name(cx, stage);
    let moved: Vec<moves::Move<'_>> = parts
        .image
        .iter()
        .map(|at| (stage.steps[*at].instruction, last))
        .collect();
    let mut edits = moves::edits(cx, &moved);
    let place = Span::at(last.span.end);
    let mut block = block(cx, stage, parts, &runtime, &builder);
    if let Some(moves) = edits.iter_mut().find(|edit| edit.span == place) {
        block.append(&mut moves.insert);
        moves.insert = block;
    } else {
        edits.push(Edit::insert(place.start, block));
    }
    edits.push(named(stage.model.from, &builder));
    edits.extend(runtime.edits);
    edits
}

/// The name of the builder stage: the option's, unless the stage that ships has it.
fn builder_name(cx: &PassContext<'_>, stage: &Stage<'_>) -> String {
    let wanted = cx.rule.text("builder-name").unwrap_or("build");
    let shipped = stage.model.name.as_deref();
    match shipped.or(cx.rule.text("runtime-name")) == Some(wanted) {
        true => format!("{wanted}er"),
        false => wanted.to_owned(),
    }
}

/// Gives the builder its name.
fn named(from: &Instruction, builder: &str) -> Edit {
    let words = from.words();
    match (words.first(), words.get(2)) {
        (_, Some(name)) => Edit::replace(name.span, builder),
        (Some(image), None) => {
            Edit::insert(image.span.end, format!(" {} {builder}", as_word(from)))
        }
        (None, None) => Edit::insert(from.args_span.end, format!(" AS {builder}")),
    }
}

/// `AS` in the case of the FROM.
fn as_word(from: &Instruction) -> &'static str {
    let keyword = from.logical.text.trim_ascii_start();
    if keyword.starts_with(b"from") {
        "as"
    } else {
        "AS"
    }
}

/// The runtime stage up to where the old stage goes on.
fn block(
    cx: &PassContext<'_>,
    stage: &Stage<'_>,
    parts: &Parts,
    runtime: &Runtime,
    builder: &str,
) -> Vec<u8> {
    let from = stage.model.from;
    let keyword = String::from_utf8_lossy(from.keyword_span.of(cx.text)).into_owned();
    let mut first = format!("{keyword} {}", runtime.base.image);
    let named = from.words().get(2).map(|name| cx.shown(name.span));
    let wanted = cx.rule.text("runtime-name").map(str::to_owned);
    if let Some(name) = named.or(wanted) {
        first.push_str(&format!(" {} {name}", as_word(from)));
    }
    let mut lines = Vec::new();
    let run = if keyword == "from" { "run" } else { "RUN" };
    lines.extend(
        runtime
            .last
            .iter()
            .map(|command| format!("{run} {command}")),
    );
    lines.extend([String::new(), first]);
    let is_lower = keyword == "from";
    let in_case = |keyword: Keyword| match is_lower {
        true => keyword.to_string().to_lowercase(),
        false => keyword.to_string(),
    };
    let copies = copies(runtime, &in_case(Keyword::Copy), builder);
    lines.extend(install(&runtime.packages).map(|command| format!("{run} {command}")));
    let own = runtime.lines.iter().cloned().chain(copies);
    let own: Vec<String> = own.collect();
    if runtime.first {
        lines.extend(own.iter().cloned());
    }
    for at in &parts.both {
        let instruction = stage.steps[*at].instruction;
        // A directory that is relative to the old base's, or named by one of its variables, is written out.
        let text = instruction.args_text();
        let is_made = instruction.keyword == Keyword::Workdir
            && (text.contains(&b'$') || !text.starts_with(b"/"));
        let behind = stage
            .steps
            .get(at + 1)
            .map_or(&stage.model.end, |next| next.before);
        lines.push(match behind.workdir().filter(|_| is_made) {
            Some(directory) => format!("{} {directory}", in_case(Keyword::Workdir)),
            None => cx.shown(shown_span(instruction)),
        });
    }
    if !runtime.first {
        lines.extend(own);
    }
    let last = stage.steps[parts.last].instruction;
    let ending = String::from_utf8_lossy(line_ending(last, cx.text)).into_owned();
    let is_unended = !last.span.of(cx.text).ends_with(b"\n");
    let mut text = lines.join(&ending);
    if is_unended {
        text.insert_str(0, &ending);
    } else {
        text.push_str(&ending);
    }
    text.into_bytes()
}

/// The lines that take over what the builder made.
fn copies(runtime: &Runtime, copy: &str, builder: &str) -> Vec<String> {
    let carried = runtime.carried.iter().enumerate();
    let moved = runtime
        .moved
        .map(|[from, to]| format!("{copy} --from={builder} {from} {to}"));
    let lines = carried.map(|(at, path)| {
        let owner = runtime.owner.as_ref().filter(|_| at == 0);
        let owner = owner.map(|owner| format!(" --chown={owner}"));
        let owner = owner.unwrap_or_default();
        format!("{copy} --from={builder}{owner} {path} {path}")
    });
    moved.into_iter().chain(lines).collect()
}
