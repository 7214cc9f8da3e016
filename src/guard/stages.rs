//! The stages: as many as before, each with its name and base, or a smaller base; or a builder in front of the stage that ships.

use super::instruction::{At, same_platform, same_stage_name};
use super::{Allowed, Fault, Side, Verdict, base, runtime, steps};
use crate::rule::Effect;
use crate::text::Span;

/// Compares all stages.
pub(super) fn compare(before: &Side<'_>, after: &Side<'_>, allowed: Allowed<'_>) -> Verdict {
    let (old, new) = (&before.model.stages, &after.model.stages);
    if old.len() < new.len() && allowed.has(&Effect::Stages) {
        return runtime::split(before, after, allowed);
    }
    if old.len() != new.len() {
        let reason = format!("there are {} stages instead of {}", new.len(), old.len());
        let at = new.last().map_or(Span::at(0), |stage| stage.from.span);
        return Err(Fault::new(reason, at));
    }
    for (old, new) in old.iter().zip(new) {
        from((old.from, before), (new.from, after), allowed)?;
        steps::compare(before, &old.steps, after, new.index, allowed)?;
        if allowed.has(&Effect::SmallBase) {
            base::shrinks((before, old), (after, new))?;
        }
    }
    Ok(())
}

fn from((old, before): At<'_>, (new, after): At<'_>, allowed: Allowed<'_>) -> Verdict {
    if !allowed.has(&Effect::Base) && !allowed.has(&Effect::SmallBase) {
        return super::instruction::same((old, before), (new, after));
    }
    match same_platform((old, before), (new, after)) && same_stage_name(old, new) {
        true => Ok(()),
        false => Err(Fault::new(
            "the name or platform of a stage changes",
            new.span,
        )),
    }
}
