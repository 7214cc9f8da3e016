//! Which file of the build context stands at a path of the image, as far as the COPYs and ADDs of a stage tell.

use crate::context::copy::{Copy, ImagePath, Landing};
use crate::context::ignore::Ignore;
use crate::model::Step;
use crate::pass::PassContext;
use crate::syntax::Keyword;

/// As many files are looked at of one step.
const MOST_FILES: usize = 10_000;

/// The files that a COPY or ADD brings out of the build context, each with the places where it may land. `None` where
/// they come from elsewhere, or cannot be known.
pub fn files(cx: &PassContext<'_>, step: &Step<'_>) -> Option<Vec<(String, Vec<String>)>> {
    let instruction = step.instruction;
    let copies = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
    let (destination, sources) = instruction.words().split_last()?;
    if !copies || !cx.context.is_known() || !step.sources.is_empty() {
        return None;
    }
    let escape = cx.file.escape.byte();
    let expand = |text: &str| step.before.expand(text, escape).ok();
    let sources = sources.iter().map(|word| expand(&word.text));
    let sources = sources.collect::<Option<Vec<String>>>()?;
    let ignore = Ignore::default();
    let to = expand(&destination.text)?;
    let copy = Copy::new(&sources, &to, step.before.workdir(), cx.context, &ignore);
    let files = copy.files().take(MOST_FILES);
    Some(
        files
            .map(|(file, landing)| (file, places(landing)))
            .collect(),
    )
}

fn places(landing: Landing) -> Vec<String> {
    let places = match landing {
        Landing::At(place) => vec![place],
        Landing::FileOrInside { file, inside } => vec![file, inside],
        Landing::Unknown => Vec::new(),
    };
    let absolute = |place| match place {
        ImagePath::Absolute(path) => Some(path),
        ImagePath::BelowWorkdir(_) => None,
    };
    places.into_iter().filter_map(absolute).collect()
}
