//! The image that only runs, of the version and vendor of one that builds.

use serde::Deserialize;

/// Images that build and those that run, for all versions that have both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in super::super) struct Pair {
    /// What the name starts with: a `*` stands for the version of the tool.
    builds: String,
    /// What stands behind the version of Java: `-jdk`, or nothing.
    #[serde(default)]
    mark: String,
    /// The image that runs, up to the version.
    runs: String,
    /// The versions of Java.
    versions: Vec<u32>,
    /// What the tag may say behind that, words of it.
    flavours: Vec<String>,
}

/// The image that runs what is built on the image `word`.
///
/// # Errors
/// There is none, or it is not known.
pub(super) fn runtime(word: &str, pairs: &[Pair]) -> Result<String, String> {
    let name = word.rsplit('/').next().unwrap_or(word);
    let registry = &word[..word.len() - name.len()];
    if name.contains("jre") {
        return Err("the base image is small already, or has no small one".to_owned());
    }
    let mut found = pairs.iter().filter_map(|pair| pair.runtime(name));
    match found.next() {
        Some(runtime) => Ok(format!("{registry}{runtime}")),
        None => Err(format!(
            "no image is known that only runs what `{word}` builds"
        )),
    }
}

impl Pair {
    fn runtime(&self, name: &str) -> Option<String> {
        let rest = match self.builds.split_once('*') {
            Some((start, end)) => {
                let tool = name.strip_prefix(start)?;
                &tool[tool.find(end)? + end.len()..]
            }
            None => name.strip_prefix(self.builds.as_str())?,
        };
        let is_version = |ch: char| ch.is_ascii_digit() || "._u".contains(ch);
        let end = rest.find(|ch| !is_version(ch)).unwrap_or(rest.len());
        let (version, rest) = rest.split_at(end);
        let digits = version.split(|ch: char| !ch.is_ascii_digit()).next()?;
        let is_kept = self.versions.contains(&digits.parse().ok()?);
        let flavour = rest.strip_prefix(self.mark.as_str())?;
        let is_known = self.flavours.iter().any(|one| one == flavour);
        (is_kept && is_known).then(|| format!("{}{version}-jre{flavour}", self.runs))
    }
}
