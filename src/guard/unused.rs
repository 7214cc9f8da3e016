//! COPYs and ADDs that go from the end of a stage which does not ship: nothing follows them there, and no other stage takes
//! anything from where they put what they bring.

use super::{Side, copies, mounts};
use crate::model::{Base, Step};
use crate::syntax::Keyword;

/// Directories to which images have links, or where links lead to.
const LINKED: [&str; 10] = [
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/run",
    "/sbin",
    "/usr",
    "/var/lock",
    "/var/run",
];

/// Whether step `at` of `steps`, the whole stage `stage`, is a COPY that nothing can see.
pub(super) fn may_go((side, stage): (&Side<'_>, usize), steps: &[Step<'_>], at: usize) -> bool {
    let is_copy =
        |step: &Step<'_>| matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add);
    let ships = side.model.stages.get(stage).is_none_or(|one| one.ships);
    if ships || !steps[at..].iter().all(is_copy) {
        return false;
    }
    let Some((place, _)) = copies::destination((&steps[at], side)) else {
        return false;
    };
    let is_linked = LINKED.iter().any(|one| mounts::covers(one, &place))
        || steps[..at].iter().any(|step| {
            let text = String::from_utf8_lossy(step.instruction.args_text());
            step.instruction.keyword == Keyword::Run && text.contains("ln ")
        });
    let own = Base::Stage(stage);
    let mut is_taken = false;
    for other in &side.model.stages {
        if other.base == own {
            return false;
        }
        for step in other
            .steps
            .iter()
            .filter(|step| step.sources.contains(&own))
        {
            is_taken = true;
            if !takes_elsewhere((step, side), &place) {
                return false;
            }
        }
    }
    is_taken && !is_linked
}

/// Whether a step that takes files of the stage is a COPY of other paths, by their names.
fn takes_elsewhere((step, side): (&Step<'_>, &Side<'_>), place: &str) -> bool {
    let sources = copies::sources(step.instruction);
    step.instruction.keyword == Keyword::Copy
        && !sources.is_empty()
        && sources.into_iter().all(|source| {
            let Ok(source) = step.before.expand(source, side.escape) else {
                return false;
            };
            // Of a pattern, what stands in front of it.
            let end = source.find(['*', '?', '[', '\\']);
            let known = match end {
                Some(end) => source[..end].rsplit_once('/').map_or("", |(one, _)| one),
                None => source.as_str(),
            };
            let parts = known.split('/').filter(|part| !matches!(*part, "" | "."));
            let path: String = parts.map(|part| format!("/{part}")).collect();
            let path = if path.is_empty() { "/" } else { &path };
            !source.contains("..") && !mounts::covers(place, path) && !mounts::covers(path, place)
        })
}
