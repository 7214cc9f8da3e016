//! `explain`: rules and files.

use super::sandbox::{BEFORE, REFUSED, Sandbox};

#[test]
fn a_rule_is_explained() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["explain", "copy-not-add"]).ended(0);
    assert!(ran.out.starts_with("copy-not-add: "), "{ran:#?}");
    for part in [
        "normalize",
        "safe",
        "\nLeft alone:\n- ",
        "\n--- a/Dockerfile\n",
        "\n-ADD ",
        "\n+COPY ",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing: {ran:#?}");
    }
}

#[test]
fn a_file_is_explained() {
    let url = "ADD https://example.org/tool /tool\n";
    let sandbox = Sandbox::with(&[("Dockerfile", &format!("{BEFORE}{url}"))]);
    let ran = sandbox.run(&["explain", "Dockerfile"]).ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    for (at, start) in [
        "Dockerfile:1:1: split-stages: left alone: the build context is not known",
        "Dockerfile:1:1: slim-base: left alone: neither CMD nor ENTRYPOINT says what runs",
        "Dockerfile:2:1: copy-not-add: ",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(lines[at + 1].starts_with(start), "{ran:#?}");
    }
    let declined = lines
        .iter()
        .find(|line| line.starts_with("Dockerfile:4:1: copy-not-add: left alone: "));
    assert!(declined.is_some(), "{ran:#?}");
}

#[test]
fn what_a_fix_decides_has_its_reason() {
    let file = "FROM golang:1.22\nWORKDIR /src\nRUN apt-get update && apt-get install -y git make\nCOPY . .\nRUN go build -o shop .\nCMD [\"./shop\"]\n";
    let sandbox = Sandbox::with(&[
        ("Dockerfile", file),
        ("go.mod", "module example.com/shop\n"),
        ("main.go", "package main\n"),
        ("docs/\u{1b}.txt", "none"),
        ("prices.csv", "1,2\n"),
    ]);
    let ran = sandbox.run(&["explain", "Dockerfile"]).ended(0);
    let reasons =
        "  - `gcr.io/distroless/static-debian12`: the program needs neither a C library nor a shell
  - `/src/shop`: carried over: what the container starts
  - `/src/prices.csv`: carried over: may be read when the program runs
  - `/src/Dockerfile`, `/src/docs`: left behind: for people, tests and tools
  - `/src/go.mod`, `/src/main.go`: left behind: sources
  - `CGO_ENABLED=0`: neither the module nor what it vendors needs C
  - `git`, `make`: left behind: for the build alone
";
    let at = ran.out.find("split-stages: the image ships all");
    let found = at.map(|at| &ran.out[at..]).unwrap_or_default();
    let below = found.split_once('\n').map(|(_, below)| below);
    assert!(
        below.is_some_and(|below| below.starts_with(reasons)),
        "{ran:#?}"
    );
    let ran = sandbox.run(&["check", "--format", "json"]).ended(1);
    let json = "\"reasons\":[\"`gcr.io/distroless/static-debian12`: the program needs";
    assert!(ran.out.contains(json), "{ran:#?}");
    // Most rules give none.
    assert!(ran.out.contains("\"reasons\":[],"), "{ran:#?}");
}

#[test]
fn what_is_suggested_is_shown_as_a_patch() {
    let file = "FROM python:3.12-slim\nCMD [\"python\"]\n";
    let sandbox = Sandbox::with(&[("Dockerfile", file)]);
    let ran = sandbox.run(&["explain", "Dockerfile"]).ended(0);
    let patch = "Suggested, for you to make:\n--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,4 @@\n FROM python:3.12-slim\n\
                 +RUN groupadd --system app && useradd --system --gid app --create-home app\n+USER app\n CMD [\"python\"]\n";
    assert!(ran.out.contains(patch), "{ran:#?}");
    // A suggestion alone makes no check fail.
    let ran = sandbox.run(&["check"]).ended(0);
    let all = "1 finding in 1 file: 1 suggested (`dockeropt explain FILE` shows how)";
    assert_eq!(ran.last(), all, "{ran:#?}");
}

#[test]
fn a_checklist_says_what_is_done_and_which_rule_would_do_the_rest() {
    let file = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nUSER node\nCMD npm start\n";
    let lock = r#"{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app"}}}"#;
    let package = r#"{"name": "app", "scripts": {"start": "node main.js"}}"#;
    let sandbox = Sandbox::with(&[
        ("Dockerfile", file),
        ("package.json", package),
        ("package-lock.json", lock),
        ("main.js", ""),
    ]);
    let ran = sandbox.run(&["check", "--format", "checklist"]).ended(1);
    let list = "Dockerfile
  [-] multi-stage build: split-stages: left alone: nothing would be left behind: there is neither a build nor a package for development
  [ ] slim base image: slim-base
  [x] combined RUN commands
  [ ] no cache of the language's package manager: npm-cache
  [-] package lists removed
  [ ] dependency manifests copied first: copy-manifests-first
  [x] production dependencies only
  [-] .dockerignore
  [x] non-root user
  [ ] exec-form CMD: exec-form
  [x] pinned base
";
    assert_eq!(ran.out, list, "{ran:#?}");
}

#[test]
fn what_cannot_be_explained_is_an_error() {
    let sandbox = Sandbox::with(&[("Dockerfile", REFUSED)]);
    let ran = sandbox.run(&["explain", "no-such-thing"]).ended(2);
    assert!(
        ran.err
            .starts_with("error: `no-such-thing` is neither a rule nor a file"),
        "{ran:#?}"
    );
    let ran = sandbox.run(&["explain", "Dockerfile"]).ended(2);
    assert!(ran.err.contains("BuildKit refuses"), "{ran:#?}");
}

/// A project whose steps differ in what makes them run.
fn project() -> Sandbox {
    let dockerfile = "FROM node:22\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nARG VERSION\n\
                      COPY . .\nRUN npm run build\nCMD [\"node\", \"dist\"]\n";
    Sandbox::with(&[
        ("web/Dockerfile", dockerfile),
        ("web/.dockerignore", "Dockerfile\n.dockerignore\n*.md\n"),
        ("web/package.json", "{}"),
        ("web/src/main.js", "x"),
        ("web/README.md", "x"),
        ("other", "x"),
    ])
}

#[test]
fn the_cache_is_explained() {
    let sandbox = project();
    let ran = sandbox
        .run(&["explain", "web/Dockerfile", "--cache"])
        .ended(0);
    for part in [
        "    2  WORKDIR /app\n       runs again only after a step before it\n",
        "    3  COPY package.json ./\n       runs again after a change of `package.json`\n",
        "    6  COPY . .\n       runs again after a change of one of 2 files of the build context\n",
        "    7  RUN npm run build\n       runs again after a change of `VERSION`\n",
        "after a change of `src/main.js`: 2 of 5 steps run\n",
        "after a change of `package.json`: 4 of 5 steps run\n",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing: {ran:#?}");
    }
    assert!(!ran.out.contains("CMD"), "no step: {ran:#?}");
}

#[test]
fn a_touched_file_runs_steps() {
    let sandbox = project();
    let touch =
        |path: &str| sandbox.run(&["explain", "web/Dockerfile", "--cache", "--touch", path]);
    let ran = touch("web/src/main.js").ended(0);
    for part in [
        "    4  RUN npm ci\n       cached\n",
        "    6  COPY . .\n       runs: `src/main.js` changed\n",
        "    7  RUN npm run build\n       runs: line 6 does\n",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing: {ran:#?}");
    }
    let ignored = touch("web/README.md").ended(0);
    assert!(ignored.out.ends_with("0 of 5 steps run\n"), "{ignored:#?}");
    for (path, said) in [
        ("other", "is not in the build context"),
        ("web/src", "is a directory"),
        ("nothing", "error: `nothing`"),
    ] {
        let ran = touch(path).ended(2);
        assert!(ran.err.contains(said), "{said:?} is missing: {ran:#?}");
    }
}
