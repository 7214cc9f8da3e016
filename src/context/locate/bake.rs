//! Bake files: `docker-bake.hcl`, `docker-bake.json` and their override files.
//!
//! Paths are relative to the directory of the file, where bake is run, the Dockerfile to the context. `inherits` is
//! followed. A target with `dockerfile-inline` has no Dockerfile and is left out. Nothing is evaluated: a variable or a
//! template is not known.

use super::declared::{DeclaredBuild, DockerfileIn, Written};
use super::value::Value;

/// How long a chain of `inherits` may be.
const MAX_INHERITS: usize = 16;

/// The builds of the bake files of `directory`, which bake lays over each other.
pub(super) fn builds(directory: &str, files: &[(String, Value)]) -> Vec<DeclaredBuild> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by_key(|(file, _)| (file.contains(".override."), file.ends_with(".hcl")));
    let merged = files
        .iter()
        .fold(Value::Map(Vec::new()), |all, (_, one)| all.overlaid(one));
    let Some(targets) = merged.get("target") else {
        return Vec::new();
    };
    let declared_in = |name: &str| {
        let declares = |(_, value): &&&(String, Value)| {
            value
                .get("target")
                .is_some_and(|targets| targets.get(name).is_some())
        };
        files
            .iter()
            .find(declares)
            .map_or("", |(file, _)| file.as_str())
    };
    let mut builds = Vec::new();
    for (name, target) in targets.entries() {
        let target = inherited(targets, target, MAX_INHERITS);
        if name.starts_with('_') || target.get("dockerfile-inline").is_some() {
            continue;
        }
        let written = Written::from_value(&target, "${");
        builds.push(written.declare(
            declared_in(name),
            format!("target `{name}`"),
            directory,
            DockerfileIn::Context,
        ));
    }
    builds
}

/// A target laid over those that it inherits, the later one over the earlier one.
fn inherited(targets: &Value, target: &Value, depth: usize) -> Value {
    let parents = target.get("inherits").map(Value::items).unwrap_or_default();
    let mut below = Value::Map(Vec::new());
    for parent in parents {
        match parent.text().and_then(|name| targets.get(name)) {
            Some(parent) if depth > 0 => {
                below = below.overlaid(&inherited(targets, parent, depth - 1))
            }
            _ => below = below.overlaid(&Value::unknown_build()),
        }
    }
    below.overlaid(target)
}

#[cfg(test)]
mod tests {
    use super::super::declared::{Place, Text};
    use super::*;

    #[test]
    fn hcl_and_json() {
        let hcl = r#"
            variable "DIR" { default = "x" }
            target "_common" {
              context    = "."
              dockerfile = "docker/Dockerfile"
              args       = { A = "1" }
            }
            target "app" {
              inherits = ["_common"]
              target   = "prod"
              args     = { B = DIR }
              contexts = { base = "docker-image://alpine" }
            }
            target "dynamic" { context = "${DIR}/y" }
            target "inline" { dockerfile-inline = "FROM a" }
            target "lost" {
              inherits = ["nobody"]
              context  = "."
            }
        "#;
        let json = r#"{"target": {"plain": {"context": "svc"}, "app": {"target": "dev"}}}"#;
        let files = [
            (
                "d/docker-bake.hcl".to_owned(),
                Value::from_hcl(hcl).expect("well formed"),
            ),
            (
                "d/docker-bake.json".to_owned(),
                Value::from_yaml(json).expect("well formed").remove(0),
            ),
        ];
        let mut builds = builds("d", &files);
        builds.sort_by(|left, right| left.part.cmp(&right.part));
        let parts: Vec<_> = builds
            .iter()
            .map(|build| (build.part.as_str(), build.dockerfile.as_deref()))
            .collect();
        assert_eq!(
            parts,
            [
                ("target `app`", Some("d/docker/Dockerfile")),
                ("target `dynamic`", None),
                ("target `lost`", None),
                ("target `plain`", Some("d/svc/Dockerfile")),
            ]
        );
        assert_eq!(
            builds[0].target,
            Some(Text::Literal("prod".to_owned())),
            "HCL is read after JSON"
        );
        let args: Vec<_> = builds[0]
            .args
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        assert_eq!(args, [("A", Some("1")), ("B", None)]);
        assert_eq!(
            builds[1].context,
            Place::Unreadable("an expression".to_owned())
        );
        assert_eq!(builds[3].context, Place::Inside("d/svc".to_owned()));
    }
}
