//! The build context: what is in it decides what some rules may do.

use super::sandbox::Sandbox;

#[test]
fn the_context_is_named() {
    // Without its context nobody knows what a wildcard brings: perhaps an archive, which ADD unpacks.
    let text = "FROM scratch\nADD data* /data/\n";
    let sandbox = Sandbox::with(&[("docker/Dockerfile", text), ("app/data.txt", "text")]);
    let ran = sandbox.run(&["fix", "--context", "app", "docker"]).ended(0);
    assert!(ran.out.contains("\n+COPY data* /data/\n"), "{ran:#?}");
    let ran = sandbox
        .pipe(&["fix", "--context", "app", "-"], text)
        .ended(0);
    assert_eq!(ran.out, "FROM scratch\nCOPY data* /data/\n");
    let ran = sandbox
        .run(&["explain", "--context", "app", "docker/Dockerfile"])
        .ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    let [how, finding] = lines[..] else {
        panic!("{ran:#?}")
    };
    assert_eq!(how, "docker/Dockerfile: the build context was given");
    assert!(
        finding.starts_with("docker/Dockerfile:2:1: copy-not-add: "),
        "{ran:#?}"
    );
}

#[test]
fn a_context_that_is_none_is_an_error() {
    let sandbox = Sandbox::with(&[("Dockerfile", "FROM scratch\n")]);
    for context in ["missing", "Dockerfile"] {
        let ran = sandbox.run(&["fix", "--context", context]).ended(2);
        assert!(
            ran.err.starts_with(&format!("error: {context}: ")),
            "{ran:#?}"
        );
    }
}

#[test]
fn the_context_is_found() {
    let text = "FROM scratch\nADD data* /data/\n";
    let files = [
        (".git/HEAD", ""),
        (
            "compose.yaml",
            "services:\n  app:\n    build:\n      context: app\n      dockerfile: ../docker/Dockerfile\n",
        ),
        ("docker/Dockerfile", text),
        ("app/data.txt", "text"),
        ("own/Dockerfile", text),
        ("own/data.txt", "text"),
        ("lost/Dockerfile", text),
    ];
    let sandbox = Sandbox::with(&files);
    let changes = |path: &str| sandbox.run(&["fix", "--exit-code", path]).status == 1;
    assert!(changes("docker/Dockerfile"));
    assert!(changes("own/Dockerfile"));
    assert!(!changes("lost/Dockerfile"));
    let ran = sandbox
        .run_in("docker", &["fix", "Dockerfile"], b"")
        .ended(0);
    assert!(ran.out.contains("+COPY data* /data/"), "{ran:#?}");
    let args = ["fix", "-", "--stdin-filename", "own/other.Dockerfile"];
    assert_eq!(
        sandbox.pipe(&args, text).ended(0).out,
        text.replace("ADD", "COPY")
    );
    assert_eq!(sandbox.pipe(&["fix", "-"], text).ended(0).out, text);
}
