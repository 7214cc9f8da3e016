//! The image that only runs what an image of Java builds, of the same version and vendor: the table
//! `rules/data/java.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::context::glob;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    image: Vec<Image>,
}

/// Images that build and those that run, for all versions that have both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    /// What the name starts with: a `*` stands for the version of the tool.
    builds: String,
    /// What may stand behind the version of Java.
    #[serde(default)]
    mark: String,
    /// The image that runs, up to the version.
    runs: String,
    /// The versions of Java.
    versions: Vec<u32>,
    /// What the tag may say behind that, as patterns.
    flavours: Vec<String>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(data!("java")).unwrap_or_default());

/// The image that runs what is built on the image `word`; `None` where that only runs itself.
///
/// # Errors
/// There is none, or it is not known.
pub fn java_runtime(word: &str) -> Result<Option<String>, String> {
    let name = word.rsplit('/').next().unwrap_or(word);
    let registry = &word[..word.len() - name.len()];
    if name.contains("jre") {
        return Ok(None);
    }
    let mut found = TABLE.image.iter().filter_map(|image| image.runtime(name));
    match found.next() {
        Some(runtime) => Ok(Some(format!("{registry}{runtime}"))),
        None => Err(format!(
            "no image is known that only runs what `{word}` builds"
        )),
    }
}

impl Image {
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
        let flavour = rest.strip_prefix(self.mark.as_str()).unwrap_or(rest);
        let mut flavours = self.flavours.iter();
        let is_known = flavours.any(|one| glob::matches(one, flavour).unwrap_or(false));
        (is_kept && is_known).then(|| format!("{}{version}-jre{flavour}", self.runs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let table = serde_json::from_str::<Table>(data!("java"));
        assert_eq!(table.err().map(|error| error.to_string()), None);
    }

    #[test]
    fn the_version_and_the_flavour_stay() {
        let check = |word: &str, expected: &str| {
            let found = java_runtime(word).unwrap_or_default();
            assert_eq!(found.as_deref(), Some(expected), "for {word}");
        };
        check("eclipse-temurin:17", "eclipse-temurin:17-jre");
        check(
            "hub.example.com/library/eclipse-temurin:17.0.9_9-jdk-alpine-3.20",
            "hub.example.com/library/eclipse-temurin:17.0.9_9-jre-alpine-3.20",
        );
        check("openjdk:8u191-jdk-alpine3.9", "openjdk:8u191-jre-alpine3.9");
        check("openjdk:11-slim", "openjdk:11-jre-slim");
        check("maven:3.9-eclipse-temurin-21", "eclipse-temurin:21-jre");
        check("maven:3-jdk-8-alpine", "openjdk:8-jre-alpine");
        check("gradle:8.7-jdk17", "eclipse-temurin:17-jre");
        assert_eq!(java_runtime("openjdk:8-jre-alpine"), Ok(None));
    }

    #[test]
    fn what_is_not_known_has_none() {
        let others = [
            "openjdk",
            "openjdk:jdk-alpine",
            "openjdk:17",
            "openjdk:11-jdk-alpine",
            "openjdk:11-jdk-oracle",
            "openjdk:11-nanoserver",
            "gradle:jdk11",
            "gradle:8.7",
            "maven:3.9-amazoncorretto-17",
            "eclipse-temurin:17-windowsservercore",
        ];
        for word in others {
            assert!(java_runtime(word).is_err(), "for {word}");
        }
    }
}
