//! How the project builds a Dockerfile, as far as its compose, bake and CI files agree: its stage, build arguments and named
//! contexts. What the command line says comes first. Nothing that only a tool can evaluate is guessed.

use std::path::Path;

use super::verify::How;
use crate::context::locate::{Location, Place};

/// What all builds of a Dockerfile give it.
#[derive(Debug, Clone, Default)]
pub(super) struct AsBuilt {
    target: Option<String>,
    /// Build arguments; `None` for a value that is not known, or not the same in all builds.
    args: Vec<(String, Option<String>)>,
    /// Named contexts as the engine takes them, likewise.
    contexts: Vec<(String, Option<String>)>,
    /// Who builds it, such as ``service `web` of `compose.yaml` ``.
    by: Vec<String>,
}

impl AsBuilt {
    /// What `location` has, its paths below `root`.
    pub(super) fn of(location: &Location, root: &Path) -> Self {
        let by = location.built_by.iter();
        let contexts = location.named_contexts.iter();
        Self {
            target: location.target.clone(),
            args: location.args.clone().into_iter().collect(),
            contexts: contexts
                .map(|(name, place)| (name.clone(), context(root, place.as_ref())))
                .collect(),
            by: by
                .map(|(file, part)| format!("{part} of `{file}`"))
                .collect(),
        }
    }

    /// `how`, with what it leaves open taken from here, and what is to be said of that.
    pub(super) fn complete(&self, how: &How) -> (How, Vec<String>) {
        let (mut how, mut taken, mut notes) = (how.clone(), Vec::new(), Vec::new());
        if let (None, Some(target)) = (&how.target, &self.target) {
            how.target = Some(target.clone());
            taken.push(format!("target `{target}`"));
        }
        let kinds = [
            (
                "build argument",
                "--build-arg",
                &self.args,
                &mut how.build_args,
            ),
            (
                "named context",
                "--build-context",
                &self.contexts,
                &mut how.build_contexts,
            ),
        ];
        for (kind, option, declared, given) in kinds {
            let is_given = |name: &str| {
                let names = given
                    .iter()
                    .map(|pair| pair.split('=').next().unwrap_or(pair));
                names.into_iter().any(|given| given == name)
            };
            let open: Vec<_> = declared
                .iter()
                .filter(|(name, _)| !is_given(name))
                .collect();
            for (name, value) in open {
                match value {
                    Some(value) => {
                        given.push(format!("{name}={value}"));
                        taken.push(format!("{kind} `{name}`"));
                    }
                    None => notes.push(format!(
                        "the files of the project leave the {kind} `{name}` open: give it with `{option} {name}=…`"
                    )),
                }
            }
        }
        if let ([first, rest @ ..], false) = (self.by.as_slice(), taken.is_empty()) {
            let more = match rest.len() {
                0 => "builds it".to_owned(),
                rest => format!("and {rest} more build it"),
            };
            notes.insert(0, format!("built as {first} {more}: {}", taken.join(", ")));
        }
        (how, notes)
    }
}

/// A named context for the engine: a directory that is there, or what is no directory.
fn context(root: &Path, place: Option<&Place>) -> Option<String> {
    match place? {
        Place::Inside(path) => {
            let path = root.join(path);
            path.is_dir().then(|| path.to_str().map(str::to_owned))?
        }
        Place::Remote(url) => Some(url.clone()),
        Place::Outside(_) | Place::Unreadable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_comes_first() {
        let pair = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        let built = AsBuilt {
            target: Some("prod".to_owned()),
            args: vec![pair("A", Some("1")), pair("B", Some("2")), pair("C", None)],
            contexts: vec![pair("base", Some("docker-image://debian:12"))],
            by: [
                "service `web` of `compose.yaml`",
                "target `web` of `docker-bake.hcl`",
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        let how = How {
            build_args: vec!["A=9".to_owned()],
            ..How::default()
        };
        let (how, notes) = built.complete(&how);
        assert_eq!(how.build_args, ["A=9", "B=2"]);
        assert_eq!(how.build_contexts, ["base=docker-image://debian:12"]);
        assert_eq!(how.target.as_deref(), Some("prod"));
        let expected = [
            "built as service `web` of `compose.yaml` and 1 more build it: target `prod`, build argument `B`, named \
             context `base`",
            "the files of the project leave the build argument `C` open: give it with `--build-arg C=…`",
        ];
        assert_eq!(notes, expected);
        // Asked again, nothing is open but what is not known.
        assert_eq!(built.complete(&how).1, expected[1..]);
    }
}
