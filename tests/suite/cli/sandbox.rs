//! A folder with files, and dockeropt run in it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A Dockerfile with one safe fix and one unsafe one, and what the safe one makes of it.
pub(crate) const BEFORE: &str = "\
FROM python:3.12
ADD requirements.txt /app/
RUN apt-get update && apt-get install -y tini && rm -rf /var/lib/apt/lists/*
";
pub(crate) const AFTER: &str = "\
FROM python:3.12
COPY requirements.txt /app/
RUN apt-get update && apt-get install -y tini && rm -rf /var/lib/apt/lists/*
";

/// A Dockerfile that no rule changes, not even unsafely.
pub(crate) const GOOD: &str = "FROM scratch\nCOPY app /app\n";

/// A Dockerfile that BuildKit refuses.
pub(crate) const REFUSED: &str = "FROM scratch\nRNU true\n";

pub(crate) struct Sandbox {
    folder: TempDir,
}

/// What a run printed and answered.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// A sandbox in memory, where there is such a place: what is written there is on its disk at once.
    pub(crate) fn in_memory() -> Self {
        match tempfile::tempdir_in("/dev/shm") {
            Ok(folder) => Self { folder },
            Err(_) => Self::new(),
        }
    }

    /// A sandbox with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.path(path)).unwrap()
    }

    pub(crate) fn text(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(path)).unwrap()
    }

    /// dockeropt with these arguments, its standard input empty.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        self.run_in("", args, b"")
    }

    /// dockeropt with these arguments and this standard input.
    pub(crate) fn pipe<S: AsRef<OsStr>>(&self, args: &[S], input: impl AsRef<[u8]>) -> Ran {
        self.run_in("", args, input.as_ref())
    }

    /// dockeropt in a folder of the sandbox.
    pub(crate) fn run_in<S: AsRef<OsStr>>(&self, folder: &str, args: &[S], input: &[u8]) -> Ran {
        let mut command = self.command();
        command.current_dir(self.path(folder)).args(args);
        Ran::new(output(&mut command, input))
    }

    /// The command itself, for tests that set more than arguments.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
        command.current_dir(self.folder.path());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    /// Another program in the sandbox, which finds dockeropt by `DOCKEROPT`; `None` where it is not installed.
    pub(crate) fn other(&self, program: &str, args: &[&str], input: &[u8]) -> Option<Ran> {
        let found = Command::new(program).arg("--version").output().is_ok();
        if !found {
            eprintln!("skipped: `{program}` is not installed");
            return None;
        }
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).args(args);
        command.env("DOCKEROPT", env!("CARGO_BIN_EXE_dockeropt"));
        Some(Ran::new(output(&mut command, input)))
    }
}

impl Ran {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            bytes: output.stdout,
        }
    }

    /// The run, if it ended with `status`.
    #[track_caller]
    pub(crate) fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// The last line on standard error.
    pub(crate) fn last(&self) -> &str {
        self.err.lines().last().unwrap_or_default()
    }
}

fn output(command: &mut Command, input: &[u8]) -> Output {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // Beside reading: a filter that is not read from stops reading. One that fails does not read its input.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}
