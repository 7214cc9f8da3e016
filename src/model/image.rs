//! Image references, and what is certain of a base image from its name and tag.
//!
//! The knowledge is in `rules/data/images.toml` and `releases.toml`. No registry is ever asked: what the tables do not
//! say is unknown.

mod distribution;
mod facts;

use std::fmt;

pub use distribution::Distribution;
pub use facts::{Facts, Family};

/// A reference to an image, with Docker's defaults filled in (`distribution/reference`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRef {
    /// `docker.io`, unless it is named.
    pub registry: String,
    /// With `library/` for Docker's official images.
    pub repository: String,
    /// The tag as written.
    pub tag: Option<String>,
    /// The digest as written: algorithm, colon, hexadecimal digits.
    pub digest: Option<String>,
}

impl ImageRef {
    /// Reads a reference whose variables are expanded; `None` where Docker refuses it.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon behind the last slash starts a tag; one before it is a registry's port.
        let name_end = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest.get(name_end..)?.split_once(':') {
            Some((last, tag)) => (rest.get(..name_end + last.len())?, Some(tag)),
            None => (rest, None),
        };
        let (registry, repository) = split_registry(name);
        let valid = is_repository(&repository)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest)
            && !registry.is_empty();
        valid.then(|| Self {
            registry,
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The tag, or `latest` where neither tag nor digest is named.
    pub fn effective_tag(&self) -> Option<&str> {
        match &self.tag {
            Some(tag) => Some(tag),
            None => self.digest.is_none().then_some("latest"),
        }
    }

    /// Whether a digest pins it.
    pub fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }

    /// The name as people write it: without `docker.io/` and `library/`, tag and digest.
    pub fn name(&self) -> String {
        if self.registry != DOCKER_HUB {
            return format!("{}/{}", self.registry, self.repository);
        }
        let official = self.repository.strip_prefix("library/");
        official.unwrap_or(&self.repository).to_owned()
    }

    /// What is certain of the image.
    pub fn facts(&self) -> Facts {
        Facts::of(self)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(out, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(out, "@{digest}"),
            None => Ok(()),
        }
    }
}

const DOCKER_HUB: &str = "docker.io";

/// The part before the first slash is a registry if it has a dot, a colon or a capital, or is `localhost`.
fn split_registry(name: &str) -> (String, String) {
    let is_registry = |first: &str| {
        first == "localhost"
            || first.contains(['.', ':'])
            || first.chars().any(|ch| ch.is_ascii_uppercase())
    };
    let (registry, rest) = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => (first, rest),
        _ => (DOCKER_HUB, name),
    };
    let registry = if registry == "index.docker.io" {
        DOCKER_HUB
    } else {
        registry
    };
    let official = registry == DOCKER_HUB && !rest.contains('/');
    let repository = if official {
        format!("library/{rest}")
    } else {
        rest.to_owned()
    };
    (registry.to_owned(), repository)
}

fn is_repository(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.split('/').all(|part| {
        let mut bytes = part.bytes();
        edge(part.bytes().next()) && edge(bytes.next_back()) && part.bytes().all(allowed)
    })
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.starts_with(|ch: char| ch.is_ascii_alphabetic())
            && hex.len() >= 32
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String, Option<String>, Option<String>)> {
        let image = ImageRef::parse(text)?;
        Some((image.registry, image.repository, image.tag, image.digest))
    }

    fn check(text: &str, registry: &str, repository: &str, tag: Option<&str>) {
        let tag = tag.map(str::to_owned);
        let expected = (registry.to_owned(), repository.to_owned(), tag, None);
        assert_eq!(parts(text), Some(expected), "{text}");
    }

    #[test]
    fn defaults() {
        check("python", "docker.io", "library/python", None);
        check("python:3.9", "docker.io", "library/python", Some("3.9"));
        check("library/python", "docker.io", "library/python", None);
        check("docker.io/python", "docker.io", "library/python", None);
        check("index.docker.io/a/b", "docker.io", "a/b", None);
        check("bitnami/redis:7", "docker.io", "bitnami/redis", Some("7"));
        check("localhost/x", "localhost", "x", None);
        check("host:5000/x/y:1-2", "host:5000", "x/y", Some("1-2"));
        check("ghcr.io/a/b/c", "ghcr.io", "a/b/c", None);
        check("MYHOST/x", "MYHOST", "x", None);
    }

    #[test]
    fn digests() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let image = ImageRef::parse(&format!("python:3.9@{digest}")).unwrap();
        assert_eq!(image.digest.as_deref(), Some(digest.as_str()));
        assert_eq!(image.effective_tag(), Some("3.9"));
        assert!(image.is_pinned());
        let bare = ImageRef::parse(&format!("python@{digest}")).unwrap();
        assert_eq!(bare.effective_tag(), None);
        assert_eq!(bare.to_string(), format!("python@{digest}"));
    }

    #[test]
    fn refused() {
        for text in [
            "",
            ":1",
            "Python",
            "python:",
            "python:a b",
            "a//b",
            "-a",
            "a-",
            "python@x",
            "/x",
            "a:$x",
            "python@sha256:12",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn shown_as_written() {
        for text in ["python:3.9", "a/b", "ghcr.io/a/b:1", "host:5000/x"] {
            assert_eq!(ImageRef::parse(text).unwrap().to_string(), text);
        }
        let long = ImageRef::parse("docker.io/library/node:20").unwrap();
        assert_eq!(long.to_string(), "node:20");
        assert_eq!(long.effective_tag(), Some("20"));
        let untagged = ImageRef::parse("node").unwrap();
        assert_eq!(untagged.effective_tag(), Some("latest"));
    }
}
