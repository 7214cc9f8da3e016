//! The small image of the tag that a stage is built on.

use super::runs::Stage;

/// The base image as FROM names it.
///
/// # Errors
/// A variable says which it is, or a digest.
pub fn named_base<'a>(stage: &Stage<'a>) -> Result<&'a str, String> {
    let word = stage.model.from.words().first();
    let word = word.map(|word| word.text.as_str()).unwrap_or_default();
    match word.contains(['$', '@']) {
        true => Err(format!(
            "which image `{word}` is can be chosen or is pinned"
        )),
        false => Ok(word),
    }
}

/// How the tags of an image name the small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `20-bookworm-slim`.
    Last,
    /// `3.11-slim-bookworm`.
    BeforeRelease,
}

/// The small image of the same tag; `None` where the base is that itself.
///
/// # Errors
/// There is none, or it is not known which image the base is.
pub fn slim(stage: &Stage<'_>, order: Order) -> Result<Option<String>, String> {
    let word = named_base(stage)?;
    let facts = stage.model.end.base();
    // Wheezy has no small images.
    if ["alpine", "onbuild", "wheezy"]
        .iter()
        .any(|one| facts.has_word(one))
        || facts.package_manager != Some("apt")
    {
        return Err("the base image is small already, or has no small one".to_owned());
    }
    if facts.has_word("slim") {
        return Ok(None);
    }
    let name = word.rfind('/').map_or(word, |slash| &word[slash..]);
    Ok(Some(match name.split_once(':') {
        None => format!("{word}:slim"),
        Some((_, "latest")) => format!("{}slim", word.trim_end_matches("latest")),
        Some(_) => {
            let release = facts.release.as_deref().filter(|release| {
                order == Order::BeforeRelease
                    && facts.words.last().is_some_and(|one| one == release)
            });
            match release {
                Some(release) => {
                    format!("{}slim-{release}", word.trim_end_matches(release))
                }
                None => format!("{word}-slim"),
            }
        }
    }))
}
