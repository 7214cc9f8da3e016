//! Dockerfiles inside compose files.

use serde_json::Value;

use super::sandbox::{BEFORE, Sandbox};

const COMPOSE: &str = "\
# our services
services:
  web:   # the site
    build:
      context: web
      dockerfile_inline: |
        FROM debian:12
        ADD app.sh /app/

        RUN apt-get update && \\
            apt-get install -y tini && \\
            echo \"$$HOME\"
    ports:
      - '80:80'
  db: {image: postgres}
  job:
    build:
      context: .
      dockerfile_inline: |-
          FROM debian:12
          ADD job.sh /
";

fn fixed() -> String {
    COMPOSE.replace("ADD", "COPY").replace(
        "echo \"$$HOME\"\n",
        "echo \"$$HOME\" && \\\n            rm -rf /var/lib/apt/lists/*\n",
    )
}

fn sandbox() -> Sandbox {
    Sandbox::with(&[
        ("compose.yaml", COMPOSE),
        ("web/app.sh", ""),
        ("job.sh", ""),
        ("other/docker-compose.yml", "services: {a: {build: .}}\n"),
    ])
}

#[test]
fn they_are_rewritten_in_place() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["fix"]).ended(0);
    sandbox.write("patch", &ran.bytes);
    let ran = sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(ran.out, "compose.yaml: copy-not-add 2, apt-lists 1\n");
    assert_eq!(sandbox.text("compose.yaml"), fixed());
    sandbox.write("compose.yaml", COMPOSE);
    if let Some(ran) = sandbox.other("patch", &["-p1", "-i", "patch"], b"") {
        ran.ended(0);
        assert_eq!(sandbox.text("compose.yaml"), fixed());
    }
    let ran = sandbox.run(&["fix", "--exit-code"]).ended(0);
    assert_eq!(ran.out, "");
}

#[test]
fn findings_have_the_lines_of_the_file() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["check", "--select", "copy-not-add"]).ended(1);
    let places: Vec<&str> = ran.out.lines().map(|line| &line[..20]).collect();
    assert_eq!(places, ["compose.yaml:8:9: co", "compose.yaml:21:11: "]);
    let ran = sandbox.run(&["explain", "compose.yaml"]).ended(0);
    let context = "compose.yaml: service `web`: the build context is named by service `web` of `compose.yaml`; ";
    assert!(ran.out.starts_with(context), "{ran:#?}");
}

#[test]
fn one_comes_from_standard_input() {
    let sandbox = sandbox();
    let args = ["fix", "-", "--stdin-filename", "compose.yaml"];
    assert_eq!(sandbox.pipe(&args, COMPOSE).ended(0).out, fixed());
    let args = ["fix", "-i", "-", "--stdin-filename", "compose.yaml"];
    sandbox.pipe(&args, COMPOSE).ended(2);
    let text = "services: {a: {build: .}}\n";
    let args = ["fix", "-", "--stdin-filename", "compose.yaml"];
    let ran = sandbox.pipe(&args, text).ended(0);
    assert_eq!(ran.out, text);
    assert!(
        ran.err
            .starts_with("compose.yaml: no service has a `dockerfile_inline`\n"),
        "{ran:#?}"
    );
}

/// Each fix of SARIF, made on its own, changes the Dockerfile and nothing else.
#[test]
fn fixes_of_sarif_are_those_of_the_file() {
    let sandbox = sandbox();
    let args = [
        "check",
        "--format",
        "sarif",
        "--select",
        "copy-not-add,apt-lists",
    ];
    let ran = sandbox.run(&args).ended(1);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let mut lines: Vec<String> = COMPOSE.lines().map(str::to_owned).collect();
        let changes = &result["fixes"][0]["artifactChanges"][0];
        let mut replacements = changes["replacements"].as_array().unwrap().clone();
        assert!(!replacements.is_empty());
        replacements.reverse();
        for one in replacements {
            let region = &one["deletedRegion"];
            let at = |key: &str| usize::try_from(region[key].as_u64().unwrap()).unwrap() - 1;
            let line = at("startLine");
            assert_eq!(region["endLine"], region["startLine"], "{region}");
            let text = one["insertedContent"]["text"].as_str().unwrap();
            lines[line].replace_range(at("startColumn")..at("endColumn"), text);
        }
        let found = lines.join("\n") + "\n";
        assert!(
            fixed().lines().any(|line| {
                !COMPOSE.contains(line) && found.lines().any(|other| other == line)
            }),
            "{found}"
        );
    }
}

#[test]
fn what_is_not_plain_is_left_with_a_note() {
    let sandbox = Sandbox::new();
    let text = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM debian:$TAG\n        ADD a /\n  b:\n    build:\n      dockerfile_inline: \"FROM a\\nADD a /\\n\"\n";
    sandbox.write("compose.yaml", text);
    let ran = sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(sandbox.text("compose.yaml"), text);
    for note in [
        "compose.yaml:4: the Dockerfile of `a` is left alone: compose fills in its variables: `$$` is a `$`\n",
        "compose.yaml:9: the Dockerfile of `b` is left alone: it is no block: write it with `|`\n",
    ] {
        assert!(ran.err.contains(note), "{ran:#?}");
    }
    sandbox.write("compose.yaml", "services: [\n# dockerfile_inline\n");
    let ran = sandbox.run(&["check"]).ended(2);
    assert!(
        ran.err.starts_with("error: compose.yaml: is not YAML: "),
        "{ran:#?}"
    );
}

#[test]
fn what_works_on_whole_files_leaves_them_alone() {
    let sandbox = sandbox();
    let said = "error: compose.yaml: Dockerfiles inside compose files are left alone here\n";
    let args = ["check", "--format", "checklist", "compose.yaml"];
    assert_eq!(sandbox.run(&args).ended(2).err, said);
    let ran = sandbox
        .run(&["explain", "compose.yaml", "--cache"])
        .ended(2);
    assert_eq!(ran.err, said);
    sandbox.write("web/Dockerfile", BEFORE);
    let ran = sandbox.run(&["check", "--format", "checklist"]).ended(1);
    assert!(ran.out.starts_with("web/Dockerfile"), "{ran:#?}");
}
