//! Lines that grew too long under the rules of a run are broken at their `&&`, once no rule has anything to change.
//!
//! Never touches a line that the author wrote, or one that was long before.

use std::collections::HashSet;

use crate::model::{Model, ModelInput};
use crate::pass::layout::{Layout, MAX_COLUMNS, OperatorPlace, columns_after, columns_before};
use crate::pass::runs;
use crate::syntax::shell::{Operator, Script};
use crate::syntax::{Dockerfile, Instruction};
use crate::text::{Edit, LineIndex, Patch, Span};

/// The patch of `text` that breaks those of its lines that are not in `original` and were short there. `back` leads
/// from an offset of `text` to one of `original`.
pub(super) fn patch(
    original: &[u8],
    text: &[u8],
    input: &ModelInput,
    back: impl Fn(u32) -> u32,
) -> Patch {
    let Some(grown) = Grown::of(original, text, back) else {
        return Patch::default();
    };
    let file = Dockerfile::parse(text);
    let model = Model::of(&file, text, input);
    let stages = runs::stages(&model);
    let steps = stages.iter().flat_map(|stage| &stage.steps);
    let touched = steps.filter(|step| grown.touch(step.instruction.span));
    let edits =
        touched.filter_map(|step| Some(breaks(step.instruction, step.script()?, text, &grown)));
    Patch::new(edits.flatten().collect()).unwrap_or_default()
}

/// The lines that grew too long.
struct Grown {
    lines: LineIndex,
    numbers: Vec<u32>,
}

impl Grown {
    fn of(original: &[u8], text: &[u8], back: impl Fn(u32) -> u32) -> Option<Self> {
        let lines = LineIndex::new(text);
        let is_long = |line: &[u8]| line.len() > MAX_COLUMNS;
        let old: HashSet<&[u8]> = original
            .split(|byte| *byte == b'\n')
            .filter(|line| is_long(line))
            .collect();
        let new = text.split(|byte| *byte == b'\n').zip(1..);
        let grew = |(line, number): (&[u8], u32)| {
            if !is_long(line) || old.contains(line) {
                return None;
            }
            let start = lines.start_of(number)?;
            let was = back(start);
            let width = columns_before(was, original) + columns_after(was, original);
            (columns_after(start, text) > MAX_COLUMNS && width <= MAX_COLUMNS).then_some(number)
        };
        let numbers: Vec<u32> = new.filter_map(grew).collect();
        (!numbers.is_empty()).then_some(Self { lines, numbers })
    }

    fn touch(&self, span: Span) -> bool {
        let first = self.lines.line(span.start);
        let next = self.numbers.partition_point(|number| *number < first);
        let last = self.lines.line(span.end.saturating_sub(1));
        self.numbers.get(next).is_some_and(|number| *number <= last)
    }

    fn has(&self, at: u32) -> bool {
        self.numbers.binary_search(&self.lines.line(at)).is_ok()
    }
}

/// The edits that break the long lines of a script: before the last command, where that is all that it takes, else at
/// each `&&`.
fn breaks(instruction: &Instruction, script: &Script, text: &[u8], grown: &Grown) -> Vec<Edit> {
    let layout = Layout::of(instruction, script, text);
    let mut gaps = gaps(script, text);
    gaps.retain(|gap| grown.has(gap.start));
    let operator = match layout.place {
        OperatorPlace::LineEnd => " && \\".len(),
        OperatorPlace::LineStart => " \\".len(),
    };
    let rest = |gap: &Span| layout.indent.len() + "&& ".len() + columns_after(gap.end, text);
    let suffices = |gap: &&Span| {
        columns_before(gap.start, text) + operator <= MAX_COLUMNS && rest(gap) <= MAX_COLUMNS
    };
    let last = gaps
        .last()
        .filter(|_| !layout.breaks_operators)
        .filter(suffices);
    let chosen = last.map_or(gaps.as_slice(), std::slice::from_ref);
    let broken = chosen
        .iter()
        .map(|gap| Edit::replace(*gap, layout.break_before_command()));
    broken.collect()
}

/// What stands between two commands that `&&` joins on one line.
fn gaps(script: &Script, text: &[u8]) -> Vec<Span> {
    let pairs = script.statements.windows(2);
    let and = pairs.filter(|pair| matches!(pair[0].operator, Some((Operator::And, _))));
    let gaps = and.map(|pair| Span::new(pair[0].span.end, pair[1].span.start));
    gaps.filter(|gap| !gap.of(text).contains(&b'\n')).collect()
}
