//! Java: the image of the run-time environment of the same version, vendor and distribution.

use crate::pass::runs::Stage;

/// The words of a tag that have no such image.
const OTHER: [&str; 6] = [
    "ea",
    "oracle",
    "nanoserver",
    "windowsservercore",
    "slim-ea",
    "onbuild",
];

/// The image with the run-time environment in place of the development kit; `None` where the base is that itself.
///
/// # Errors
/// There is none for this version (`versions` are those that have one), or it is not known which image the base is.
pub(super) fn jre(stage: &Stage<'_>, versions: &[String]) -> Result<Option<String>, String> {
    let words = stage.model.from.words();
    let word = words
        .first()
        .map(|word| word.text.as_str())
        .unwrap_or_default();
    if word.contains(['$', '@']) {
        return Err(format!(
            "which image `{word}` is can be chosen or is pinned"
        ));
    }
    let tag = word
        .rfind(':')
        .filter(|colon| !word[*colon..].contains('/'));
    let (repository, tag) = match tag {
        Some(colon) => (&word[..colon], &word[colon + 1..]),
        None => return Err("which version the base image is of is not known".to_owned()),
    };
    let mut parts: Vec<&str> = tag.split('-').collect();
    if parts.contains(&"jre") {
        return Ok(None);
    }
    let version = parts[0];
    let digits = version
        .find(|ch: char| !ch.is_ascii_digit())
        .unwrap_or(version.len());
    let major = &version[..digits];
    // Java 11 has no small image of Alpine in `openjdk`, whose newer versions have no run-time images at all.
    let is_missing = repository.ends_with("openjdk")
        && major == "11"
        && parts.iter().any(|part| part.starts_with("alpine"));
    let is_other = parts
        .iter()
        .any(|part| OTHER.iter().any(|other| part == other) || part.starts_with("oraclelinux"));
    if !versions.iter().any(|one| one == major) || is_missing || is_other {
        return Err("there is no image of it with the run-time environment alone".to_owned());
    }
    match parts.iter().position(|part| *part == "jdk") {
        Some(at) => parts[at] = "jre",
        None => parts.insert(1, "jre"),
    }
    Ok(Some(format!("{repository}:{}", parts.join("-"))))
}
