//! Whether the frontend that a file asks for (`# syntax=`) knows cache mounts. `rules/data/frontends.toml` has what is known.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::syntax::Dockerfile;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Frontends {
    images: Vec<String>,
    old: Vec<String>,
}

static FRONTENDS: LazyLock<Frontends> = LazyLock::new(|| {
    // A test holds that the table parses.
    serde_json::from_str(data!("frontends")).unwrap_or_default()
});

/// Why the file's frontend may not know cache mounts.
pub fn obstacle(file: &Dockerfile) -> Option<String> {
    let syntax = file
        .directives()
        .find(|directive| directive.name == "syntax")?;
    let image = syntax.value.split_whitespace().next().unwrap_or_default();
    let image = image.split('@').next().unwrap_or(image);
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    if !FRONTENDS.images.iter().any(|one| one == name) {
        return Some(format!(
            "whether the frontend `{image}` knows cache mounts is not known"
        ));
    }
    let is_old = |old: &String| {
        let rest = tag.strip_prefix(old.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let experimental = tag.ends_with("experimental");
    let old = FRONTENDS.old.iter().any(is_old) && !experimental;
    old.then(|| format!("the frontend `{image}` does not know cache mounts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle_of(syntax: &str) -> Option<String> {
        obstacle(&Dockerfile::parse(
            format!("# syntax={syntax}\nFROM a\n").as_bytes(),
        ))
    }

    #[test]
    fn old_and_foreign_frontends() {
        for known in [
            "docker/dockerfile:1",
            "docker.io/docker/dockerfile:1.2@sha256:ab",
            "docker/dockerfile",
        ] {
            assert_eq!(obstacle_of(known), None, "{known}");
        }
        assert_eq!(obstacle_of("docker/dockerfile:1.0-experimental"), None);
        for other in [
            "docker/dockerfile:1.0",
            "docker/dockerfile:1.1.7",
            "example.com/frontend:1",
        ] {
            assert!(obstacle_of(other).is_some(), "{other}");
        }
        assert_eq!(obstacle(&Dockerfile::parse(b"FROM a\n")), None);
    }
}
