//! Neither `check` nor `fix` runs a program, loads one or opens a socket: seen by strace, where it is installed.

use std::path::Path;

use super::sandbox::Sandbox;

/// What is looked at. Every thread begins with a `set_robust_list`: once strace has stopped a thread at a call that it
/// looks at, it lets it run up to the next such call, and not before.
const TRACE: &str = "trace=%network,%process,set_robust_list";
/// What strace prints of calls that make threads, and of calls that end what runs.
const PLAIN: [&str; 5] = [
    "exit(",
    "exit_group(",
    "+++ exited",
    "resumed>",
    "set_robust_list(",
];

#[test]
fn nothing_is_run_and_nothing_is_fetched() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let [whole, traps] = ["chain", "traps"].map(|group| cases.join(group));
    let [cases, whole, traps] = [&cases, &whole, &traps].map(|path| path.to_str().unwrap());
    for args in [
        &["check", cases, "--format", "json"][..],
        &["check", whole, traps, "--format", "checklist"],
        &["fix", cases, "--unsafe"],
    ] {
        let sandbox = Sandbox::new();
        let Some(calls) = calls(&sandbox, args) else {
            return;
        };
        assert_eq!(calls, Vec::<String>::new(), "{args:?}");
    }
}

#[test]
fn nothing_is_run_while_files_are_written() {
    let sandbox = Sandbox::with(&[
        (
            "Dockerfile",
            "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nCMD [\"/app\"]\n",
        ),
        ("go.mod", "module example.test/app\n\ngo 1.22\n"),
        ("main.go", "package main\n\nfunc main() {}\n"),
        ("compose.yaml", "services:\n  app:\n    build: .\n"),
        ("dockeropt.toml", ""),
        (".git/config", "[core]\n\tfsmonitor = touch ran\n"),
        (".git/HEAD", "ref: refs/heads/main\n"),
    ]);
    let Some(calls) = calls(&sandbox, &["fix", "--write", "--unsafe"]) else {
        return;
    };
    assert_eq!(calls, Vec::<String>::new());
    assert!(sandbox.text("Dockerfile").contains("COPY --from="));
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn what_strace_would_show_is_seen() {
    let sandbox = Sandbox::with(&[("Dockerfile", "FROM scratch\n")]);
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    let Some(calls) = calls(&sandbox, &["fix", "--per-rule-commits"]) else {
        return;
    };
    assert!(
        calls.iter().any(|call| call.contains("execve(")),
        "{calls:?}"
    );
}

/// The calls of a run that reach for the network or for another program; `None` where there is no strace.
fn calls(sandbox: &Sandbox, args: &[&str]) -> Option<Vec<String>> {
    let trace = sandbox.path("trace");
    let mut all = vec!["--seccomp-bpf", "-f", "-qq", "-e", TRACE, "-o"];
    all.extend([trace.to_str().unwrap(), env!("CARGO_BIN_EXE_dockeropt")]);
    all.extend(args);
    let run = sandbox.other("strace", &all, b"")?;
    assert!(!run.err.contains("strace:"), "{run:?}");
    let trace = sandbox.text("trace");
    let mut lines = trace.lines();
    let first = lines.next().unwrap();
    assert!(first.contains("execve("), "{first}");
    let is_telling = |line: &&str| {
        let is_thread = line.contains("clone") && line.contains("CLONE_THREAD");
        !is_thread && !PLAIN.iter().any(|plain| line.contains(plain))
    };
    Some(lines.filter(is_telling).map(str::to_owned).collect())
}
