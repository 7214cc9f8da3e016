//! A Dockerfile is built as the files of its project build it.

use serde_json::Value;

use super::engine;
use crate::cli::sandbox::Sandbox;

/// Nothing of it builds without the build argument, the named context and the target that compose gives.
const DOCKERFILE: &str = "\
FROM debian:bookworm-slim AS app
ARG VERSION
ENV A b
RUN test -n \"$VERSION\"
COPY --from=assets data.txt /
FROM debian:bookworm-slim
RUN false
";
const COMPOSE: &str = "\
services:
  web:
    build:
      context: app
      target: app
      args: {VERSION: 1}
      additional_contexts: {assets: ./shared}
";
const SAID: &str = "built as service `web` of `compose.yaml` builds it: target `app`, build argument `VERSION`, \
                    named context `assets`";

fn project() -> Sandbox {
    Sandbox::with(&[
        ("app/Dockerfile", DOCKERFILE),
        ("shared/data.txt", "data\n"),
        ("compose.yaml", COMPOSE),
        // The root of the workspace.
        (".git/HEAD", "ref: refs/heads/main\n"),
    ])
}

#[test]
fn both_sides_are_built_as_the_project_builds_them() {
    if engine().is_none() {
        return;
    }
    let sandbox = project();
    let ran = sandbox.run(&["verify", "app"]).ended(0);
    assert!(ran.out.lines().any(|line| line.trim() == SAID), "{ran:#?}");
    assert!(ran.out.contains("verified: nothing differs"), "{ran:#?}");
    // The command line comes first.
    let ran = sandbox.run(&["verify", "app", "--build-arg=VERSION="]);
    assert!(ran.ended(2).out.contains("does not build as it is"));
    // What the files do not say is asked for.
    sandbox.write("compose.yaml", COMPOSE.replace("1}", "'${VERSION}'}"));
    let ran = sandbox.run(&["verify", "app"]).ended(2);
    let open = "the files of the project leave the build argument `VERSION` open: give it with `--build-arg VERSION=…`";
    assert!(ran.out.contains(open), "{ran:#?}");
}

#[test]
fn layers_are_those_of_the_image_that_the_project_builds() {
    if engine().is_none() {
        return;
    }
    let sandbox = project();
    let args = ["layers", "app/Dockerfile", "--format=json"];
    let ran = sandbox.run(&args).ended(0);
    assert!(!ran.err.contains("warning"), "{ran:#?}");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["notes"], serde_json::json!([SAID]));
    let steps = json["steps"].as_array().unwrap();
    let placed: Vec<_> = steps.iter().map(|step| &step["lines"]["first"]).collect();
    let last = placed.iter().rev().take(4).rev();
    assert_eq!(
        last.collect::<Vec<_>>(),
        [2, 3, 4, 5].iter().collect::<Vec<_>>()
    );
}
