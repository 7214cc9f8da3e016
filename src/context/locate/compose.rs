//! Compose files: `services.<name>.build`.
//!
//! Paths are relative to the directory of the file, the Dockerfile to the context. Files of one directory share their
//! services: what an override file does not say of a build, the directory's base file says. `extends` is followed
//! inside a file. A build with `dockerfile_inline` has no Dockerfile beside the file.

use super::declared::{DeclaredBuild, DockerfileIn, Written};
use super::inline;
use super::value::Value;
use crate::context::path;

/// The names that compose looks for by itself, the first one that is there.
const BASE_NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// How long a chain of `extends` may be.
const MAX_EXTENDS: usize = 16;

/// How messages name a service.
pub(super) fn part(service: &str) -> String {
    format!("service `{service}`")
}

/// The builds of the compose files of `directory`: those that name a Dockerfile, and those that hold one.
pub(super) fn builds(
    directory: &str,
    files: &[(String, Value)],
) -> (Vec<DeclaredBuild>, Vec<DeclaredBuild>) {
    let by_name = |name: &&str| {
        files
            .iter()
            .find(|(file, _)| path::file_name(file) == *name)
    };
    let base = BASE_NAMES.iter().find_map(by_name);
    let (mut builds, mut inline) = (Vec::new(), Vec::new());
    for (file, value) in files {
        for (name, service) in value
            .get("services")
            .map(Value::entries)
            .unwrap_or_default()
        {
            let Some(mut build) = build_of(value, service, MAX_EXTENDS) else {
                continue;
            };
            let base_service = base
                .filter(|(base, _)| base != file)
                .and_then(|(_, base)| base.get("services")?.get(name));
            if let Some((_, base_file)) = base
                && let Some(below) =
                    base_service.and_then(|service| build_of(base_file, service, MAX_EXTENDS))
            {
                build = below.overlaid(&build);
            }
            let written = Written::from_value(&build, "$");
            let declared = written.declare(file, part(name), directory, DockerfileIn::Context);
            match build.get(inline::KEY) {
                None => builds.push(declared),
                Some(_) => inline.push(DeclaredBuild {
                    dockerfile: None,
                    ..declared
                }),
            }
        }
    }
    (builds, inline)
}

/// The `build` of a service as a map, with what it extends below it.
fn build_of(file: &Value, service: &Value, depth: usize) -> Option<Value> {
    let own = service.get("build").and_then(|build| match build {
        Value::Text(context) => Some(Value::Map(vec![(
            "context".to_owned(),
            Value::Text(context.clone()),
        )])),
        Value::Map(_) => Some(build.clone()),
        _ => None,
    });
    let Some(extended) = service.get("extends") else {
        return own;
    };
    let from = extended.text().or_else(|| extended.get("service")?.text());
    let below = if extended.get("file").is_some() {
        // What another file says of the build is not looked up: what this one leaves open is not known.
        own.is_some().then(Value::unknown_build)
    } else {
        let service = file.get("services")?.get(from?)?;
        if depth == 0 {
            None
        } else {
            build_of(file, service, depth - 1)
        }
    };
    match (below, own) {
        (Some(below), Some(own)) => Some(below.overlaid(&own)),
        (below, own) => own.or(below),
    }
}

#[cfg(test)]
mod tests {
    use super::super::declared::{Place, Text};
    use super::*;

    fn builds_of(files: &[(&str, &str)]) -> Vec<DeclaredBuild> {
        let read = |text: &str| Value::from_yaml(text).expect("well formed").remove(0);
        let values: Vec<_> = files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), read(text)))
            .collect();
        builds(
            path::parent(files.first().map_or("", |(file, _)| *file)),
            &values,
        )
        .0
    }

    fn summary(build: &DeclaredBuild) -> (&str, &Place, Option<&str>) {
        (&build.part, &build.context, build.dockerfile.as_deref())
    }

    fn inside(path: &str) -> Place {
        Place::Inside(path.to_owned())
    }

    #[test]
    fn short_and_long_form() {
        let text = "services:\n  a:\n    build: ./app\n  b:\n    build:\n      context: ..\n      dockerfile: docker/b.Dockerfile\n      target: prod\n      args:\n        - A=1\n        - B\n      additional_contexts:\n        base: docker-image://alpine\n  c:\n    image: x\n  d:\n    build:\n      dockerfile: d.Dockerfile\n";
        let builds = builds_of(&[("deploy/compose.yaml", text)]);
        assert_eq!(builds.len(), 3);
        assert_eq!(
            summary(&builds[0]),
            (
                "service `a`",
                &inside("deploy/app"),
                Some("deploy/app/Dockerfile")
            )
        );
        assert_eq!(
            summary(&builds[1]),
            ("service `b`", &inside(""), Some("docker/b.Dockerfile"))
        );
        assert_eq!(builds[1].target, Some(Text::Literal("prod".to_owned())));
        assert_eq!(builds[1].args.get("A"), Some(&Some("1".to_owned())));
        assert_eq!(builds[1].args.get("B"), Some(&None));
        assert_eq!(
            builds[1].named_contexts.get("base"),
            Some(&Some(Place::Remote("docker-image://alpine".to_owned())))
        );
        assert_eq!(
            summary(&builds[2]),
            (
                "service `d`",
                &inside("deploy"),
                Some("deploy/d.Dockerfile")
            )
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        let text = "services:\n  a:\n    build: ${DIR:-.}\n  b:\n    build: ../../out\n  c:\n    build: https://github.com/a/b.git\n  d:\n    build:\n      context: .\n      dockerfile_inline: FROM a\n  e:\n    build:\n      context: .\n      target: ${T}\n";
        let builds = builds_of(&[("x/compose.yaml", text)]);
        let contexts: Vec<_> = builds.iter().map(|build| build.context.clone()).collect();
        assert_eq!(
            contexts,
            [
                Place::Unreadable("${DIR:-.}".to_owned()),
                Place::Outside("../../out".to_owned()),
                Place::Remote("https://github.com/a/b.git".to_owned()),
                inside("x"),
            ]
        );
        assert!(builds[..3].iter().all(|build| build.dockerfile.is_none()));
        assert_eq!(builds[3].target, Some(Text::Unreadable("${T}".to_owned())));
    }

    #[test]
    fn extends_and_override_files() {
        let base = "services:\n  base:\n    build:\n      context: app\n      dockerfile: d/Dockerfile\n  web:\n    extends: {service: base}\n    build: {target: web}\n  loop:\n    extends: loop\n  far:\n    extends: {file: other.yml, service: x}\n    build: {target: t}\n";
        let over = "services:\n  base:\n    build:\n      target: dev\n  new:\n    build: .\n";
        let builds = builds_of(&[
            ("docker-compose.override.yml", over),
            ("docker-compose.yml", base),
        ]);
        let parts: Vec<_> = builds
            .iter()
            .map(|build| {
                (
                    build.part.as_str(),
                    build.dockerfile.as_deref(),
                    &build.target,
                )
            })
            .collect();
        let literal = |text: &str| Some(Text::Literal(text.to_owned()));
        assert_eq!(
            parts,
            [
                ("service `base`", Some("app/d/Dockerfile"), &literal("dev")),
                ("service `new`", Some("Dockerfile"), &None),
                ("service `base`", Some("app/d/Dockerfile"), &None),
                ("service `web`", Some("app/d/Dockerfile"), &literal("web")),
                ("service `far`", None, &literal("t")),
            ]
        );
    }
}
