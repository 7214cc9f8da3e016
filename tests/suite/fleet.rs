//! What `examples/fleet` has: GNU parallel and Apache Spark give the answers that one process gives, also when a worker dies.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::sandbox::{AFTER, BEFORE, REFUSED, Sandbox};
use crate::files::repository;

const DOCKERFILES: &str = "10000";
const ASK: [&str; 2] = ["fix", "--stdin-jsonl"];
/// What is asked of ten thousand of them: rules enough that most change.
const SELECT: [&str; 2] = ["--select", "copy-not-add,env-key-value,as-case,exec-form"];
/// No engine takes as long, not even on a machine that does something else.
const LIMIT: Duration = Duration::from_secs(240);

/// Runs dockeropt; the first time it gives some answers and then takes down the executor that it works for.
const DYING: &str = r#"#!/bin/sh
if mkdir "$0.has-died" 2> /dev/null; then
  head -n 50 | "$PROGRAM" "$@"
  above=$PPID
  until tr '\0' ' ' < "/proc/$above/cmdline" | grep -q CoarseGrainedExecutorBackend; do
    [ "$above" -gt 1 ] || exit 1
    above=$(awk '{ print $4 }' "/proc/$above/stat")
  done
  kill -KILL "$above"
  sleep 60
fi
exec "$PROGRAM" "$@"
"#;

/// Lines, and what one process answers to them.
struct Fleet {
    lines: Vec<u8>,
    answers: Vec<u8>,
}

fn fleet() -> Option<&'static Fleet> {
    static FLEET: OnceLock<Option<Fleet>> = OnceLock::new();
    let fleet = FLEET.get_or_init(|| {
        let sandbox = Sandbox::new();
        let program = example("lines.py");
        let args = [program.to_str().unwrap(), "--generate", DOCKERFILES];
        let lines = sandbox.other("python3", &args, b"")?.ended(0).bytes;
        let answers = sandbox.pipe(&[ASK, SELECT].concat(), &lines);
        let answers = answers.ended(0).bytes;
        Some(Fleet { lines, answers })
    });
    fleet.as_ref()
}

#[test]
fn generated_dockerfiles_differ_and_most_of_them_change() {
    let Some(fleet) = fleet() else { return };
    let values = |lines: &[u8]| -> Vec<Value> {
        let lines = str::from_utf8(lines).unwrap().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let (asked, answered) = (values(&fleet.lines), values(&fleet.answers));
    let count: usize = DOCKERFILES.parse().unwrap();
    assert_eq!([asked.len(), answered.len()], [count; 2]);
    let mut texts: Vec<&str> = asked.iter().flat_map(|one| one["text"].as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), count);
    assert!(answered.iter().all(|one| one["error"].is_null()));
    let changed = answered.iter().filter(|one| one["text"].is_string());
    assert!(changed.count() > count / 2);
}

#[test]
fn parallel_answers_as_one_process_does() {
    let is_installed = Command::new("parallel").arg("--version").output();
    // There is another program of that name, in moreutils.
    if !is_installed.is_ok_and(|ran| ran.stdout.starts_with(b"GNU parallel")) {
        eprintln!("skipped: GNU parallel is not installed");
        return;
    }
    let Some(fleet) = fleet() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("lines", &fleet.lines);
    let mut command = Command::new(example("parallel.sh"));
    command.args(SELECT);
    command.env("BLOCK", "300k").env("HOME", sandbox.path(""));
    command.env("DOCKEROPT", env!("CARGO_BIN_EXE_dockeropt"));
    command.stdin(File::open(sandbox.path("lines")).unwrap());
    run(&sandbox, &mut command);
    assert!(sandbox.read("out") == fleet.answers, "other answers");
}

#[cfg(target_os = "linux")]
#[test]
fn spark_answers_as_one_process_does_though_a_worker_dies() {
    let Some((python, pyspark)) = pyspark() else {
        eprintln!("skipped: needs python3 with pyspark, and java");
        return;
    };
    let Some(fleet) = fleet() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("lines", &fleet.lines);
    sandbox.write("dying", DYING);
    let dying = sandbox.path("dying");
    fs::set_permissions(&dying, fs::Permissions::from_mode(0o755)).unwrap();
    // Workers write where Spark is.
    for part in ["bin", "jars", "python"] {
        symlink(pyspark.join(part), sandbox.path(part)).unwrap();
    }
    let mut command = Command::new(sandbox.path("bin/spark-submit"));
    command.env("SPARK_HOME", sandbox.path(""));
    command.env("SPARK_LOCAL_DIRS", sandbox.path("local"));
    command.env("SPARK_LOCAL_IP", "127.0.0.1");
    command.env("PYSPARK_PYTHON", python);
    command.env("DOCKEROPT", dying);
    command.env("PROGRAM", env!("CARGO_BIN_EXE_dockeropt"));
    command.args(["--master", "local-cluster[2,1,1024]"]);
    command.args(["--conf", "spark.ui.enabled=false"]);
    command.arg(example("spark.py"));
    command.args([sandbox.path("lines"), sandbox.path("answers")]);
    command.args(["--partitions", "16"]).args(SELECT);
    run(&sandbox, command.stdin(Stdio::null()));
    assert!(sandbox.path("dying.has-died").exists());
    let said = sandbox.text("err");
    assert!(said.contains("ExecutorLostFailure"), "{said}");
    assert!(sandbox.path("answers/_SUCCESS").exists(), "{said}");
    let mut parts: Vec<PathBuf> = fs::read_dir(sandbox.path("answers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("part-"))
        .collect();
    parts.retain(|path| path.extension().is_none());
    parts.sort();
    assert!(parts.len() >= 16, "{parts:?}");
    let answers = parts.iter().map(|path| fs::read(path).unwrap());
    assert!(
        answers.collect::<Vec<_>>().concat() == fleet.answers,
        "other answers"
    );
}

#[test]
fn lines_are_made_of_folders() {
    let sandbox = Sandbox::with(&[
        ("fleet/a/Dockerfile", BEFORE),
        ("fleet/a/requirements.txt", "flask\n"),
        ("fleet/b/web.Dockerfile", REFUSED),
        ("fleet/b/README.md", "nothing\n"),
    ]);
    sandbox.write("fleet/c/Dockerfile", b"FROM scratch\n# \xe9\n");
    sandbox.write("fleet/a/logo.png", b"\x89PNG");
    let program = example("lines.py");
    let args = [program.to_str().unwrap(), "fleet", "--context"];
    let Some(ran) = sandbox.other("python3", &args, b"") else {
        return;
    };
    let ran = ran.ended(0);
    assert_eq!(ran.err, "fleet/c/Dockerfile: not UTF-8, left out\n");
    let first: Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["path"], "fleet/a/Dockerfile");
    assert_eq!(first["files"]["requirements.txt"], "flask\n");
    assert_eq!(first["files"]["logo.png"], Value::Null);
    let answers = sandbox.pipe(&ASK, ran.out).ended(0).out;
    let answers: Vec<Value> = answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["text"], AFTER);
    assert_eq!(answers[1]["report"]["refused"][0]["line"], 2);
}

#[test]
fn a_repository_is_changed_where_multi_gitter_runs_in_it() {
    let sandbox = Sandbox::with(&[("a/Dockerfile", BEFORE), ("b/Dockerfile", REFUSED)]);
    let git = |args: &[&str]| sandbox.other("git", args, b"").map(|ran| ran.ended(0));
    if git(&["init", "--quiet"]).is_none() {
        return;
    }
    git(&["add", "."]);
    let program = example("multi-gitter.sh");
    let run = || sandbox.other("bash", &[program.to_str().unwrap()], b"");
    let Some(ran) = run() else { return };
    let ran = ran.ended(0);
    assert_eq!(sandbox.text("a/Dockerfile"), AFTER);
    assert!(ran.err.contains("b/Dockerfile"), "{ran:#?}");
    git(&["add", "."]);
    // Nothing more to change, and one that cannot be done: no pull request.
    assert_eq!(run().map(|ran| ran.status), Some(1));
}

fn example(name: &str) -> PathBuf {
    repository("examples/fleet").join(name)
}

/// A Python that has pyspark, and where that is.
#[cfg(target_os = "linux")]
fn pyspark() -> Option<(PathBuf, PathBuf)> {
    let script = "import pyspark, sys; print(sys.executable); print(pyspark.__path__[0])";
    let found = Command::new("python3").args(["-c", script]).output().ok()?;
    Command::new("java").arg("-version").output().ok()?;
    let found = String::from_utf8(found.stdout).ok()?;
    let (python, pyspark) = found.trim().split_once('\n')?;
    Some((python.into(), pyspark.into()))
}

/// Runs a program to its good end, which is waited for only so long; what it prints is in the files `out` and `err`.
///
/// Not in pipes: who reads one waits for all that hold its other end, and an engine may leave some of them behind.
fn run(sandbox: &Sandbox, command: &mut Command) {
    let file = |name| File::create(sandbox.path(name)).unwrap();
    command.stdout(file("out")).stderr(file("err"));
    let start = Instant::now();
    let mut child = command.process_group(0).spawn().unwrap();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if start.elapsed() > LIMIT {
            break None;
        }
        sleep(Duration::from_millis(20));
    };
    let said = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let said = said(&sandbox.path("err"));
    let Some(status) = status else {
        let group = rustix::process::Pid::from_child(&child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        child.wait().unwrap();
        panic!("no end after {LIMIT:?}:\n{said}");
    };
    assert!(status.success(), "{status}:\n{said}");
}
