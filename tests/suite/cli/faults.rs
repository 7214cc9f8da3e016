//! `fix --write` under hard use: killed at any moment, beside another run, without room and without permission.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::sandbox::{AFTER, BEFORE, Ran, Sandbox};

const FILES: usize = 1000;
const KILLS: u32 = 200;
/// Runs that rewrite the files together, each those of one folder.
const FOLDERS: usize = 4;
/// Small files and one rule: the moments between two writes are what counts.
const OLD: &str = "FROM scratch\nADD app /app\n";
const NEW: &str = "FROM scratch\nCOPY app /app\n";
const WRITE: [&str; 4] = ["fix", "--write", "--select", "copy-not-add"];

#[test]
fn a_kill_at_any_moment_leaves_whole_files() {
    let sandbox = Sandbox::in_memory();
    fill(&sandbox);
    let writing = killed_after(&sandbox, [Duration::MAX; FOLDERS]);
    let writing = writing.into_iter().max().unwrap_or_default();
    assert_eq!(count_of_new(&sandbox), FILES);
    let mut in_between = 0;
    for kill in (0..KILLS).step_by(FOLDERS) {
        fill(&sandbox);
        // Spread over the whole of it: from the first file to the last one.
        let moments = std::array::from_fn(|folder| writing * (kill + folder as u32) / KILLS);
        killed_after(&sandbox, moments);
        let new = (0..FOLDERS).map(|folder| count_of_new_in(&sandbox, folder));
        in_between += new.filter(|new| 0 < *new && *new < FILES / FOLDERS).count();
    }
    let at_least = KILLS as usize / 20;
    assert!(
        in_between > at_least,
        "{in_between} while files were written"
    );
    fill(&sandbox);
    sandbox.run(&WRITE).ended(0);
    assert_eq!(count_of_new(&sandbox), FILES);
    assert_eq!(names(&sandbox), FILES);
}

/// Runs at once that rewrite a folder each, killed so long after they began to write. How long they wrote.
fn killed_after(sandbox: &Sandbox, moments: [Duration; FOLDERS]) -> Vec<Duration> {
    thread::scope(|scope| {
        let runs = moments.into_iter().enumerate().map(|(folder, moment)| {
            let folder = folder.to_string();
            let path = sandbox.path(&folder);
            // It changes with the first temporary file.
            let changed = move || fs::metadata(&path).unwrap().modified().unwrap();
            let before = changed();
            let mut run = spawned(sandbox, &folder);
            scope.spawn(move || {
                let mut begin = None;
                while run.try_wait().unwrap().is_none() {
                    if begin.is_none() && changed() != before {
                        begin = Some(Instant::now());
                    }
                    if begin.is_some_and(|begin| begin.elapsed() >= moment) {
                        run.kill().unwrap();
                    }
                    sleep(Duration::from_micros(400));
                }
                begin.map_or(Duration::ZERO, |begin| begin.elapsed())
            })
        });
        let runs: Vec<_> = runs.collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn runs_at_once_do_each_file_once() {
    let sandbox = Sandbox::in_memory();
    for _ in 0..3 {
        fill(&sandbox);
        let runs: Vec<Child> = (0..4).map(|_| spawned(&sandbox, ".")).collect();
        for run in runs {
            let output = run.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            let mut errors = said.lines().filter(|line| line.starts_with("error"));
            let late = "changed while it was worked on; left as it is";
            assert!(errors.all(|line| line.ends_with(late)), "{said}");
        }
        assert_eq!(count_of_new(&sandbox), FILES);
        assert_eq!(names(&sandbox), FILES);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_one_file_only() {
    let sandbox = Sandbox::with(&[("room/Dockerfile", BEFORE)]);
    let Some(small) = Mount::small(&sandbox) else {
        return;
    };
    sandbox.write("small/Dockerfile", BEFORE);
    let full = sandbox.path("small/full");
    let error = fs::write(&full, vec![b'x'; 1 << 20]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let run = sandbox.run(&["fix", "--write", "."]).ended(2);
    says(&run, "small/Dockerfile: no space left on the device");
    assert_eq!(sandbox.text("room/Dockerfile"), AFTER);
    assert_eq!(sandbox.text("small/Dockerfile"), BEFORE);
    assert_eq!(fs::read_dir(sandbox.path("small")).unwrap().count(), 2);
    fs::remove_file(full).unwrap();
    sandbox.run(&["fix", "--write", "."]).ended(0);
    assert_eq!(sandbox.text("small/Dockerfile"), AFTER);
    drop(small);
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_file_system_stops_one_file_only() {
    let sandbox = Sandbox::with(&[("room/Dockerfile", BEFORE)]);
    let Some(small) = Mount::small(&sandbox) else {
        return;
    };
    sandbox.write("small/Dockerfile", BEFORE);
    small.remount_read_only();
    let run = sandbox.run(&["fix", "--write", "."]).ended(2);
    says(&run, "small/Dockerfile: the file system is read-only");
    assert_eq!(sandbox.text("room/Dockerfile"), AFTER);
    assert_eq!(sandbox.text("small/Dockerfile"), BEFORE);
}

#[test]
fn what_may_not_be_written_is_left() {
    let sandbox = Sandbox::with(&[
        ("file/Dockerfile", BEFORE),
        ("folder/Dockerfile", BEFORE),
        ("secret/Dockerfile", BEFORE),
        ("fine/Dockerfile", BEFORE),
    ]);
    let Some(mut command) = as_somebody(&sandbox) else {
        return;
    };
    let mode = |path: &str, mode| {
        fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("file/Dockerfile", 0o444);
    mode("folder", 0o555);
    mode("secret/Dockerfile", 0o000);
    let output = command.args(["fix", "--write", "."]).output().unwrap();
    let run = Ran::new(output).ended(2);
    for path in ["file", "folder", "secret"] {
        says(&run, &format!("{path}/Dockerfile: permission denied"));
    }
    mode("folder", 0o755);
    mode("secret/Dockerfile", 0o644);
    for path in ["file", "folder", "secret"] {
        assert_eq!(sandbox.text(format!("{path}/Dockerfile")), BEFORE);
        assert_eq!(fs::read_dir(sandbox.path(path)).unwrap().count(), 1);
    }
    assert_eq!(sandbox.text("fine/Dockerfile"), AFTER);
}

#[track_caller]
fn says(run: &Ran, error: &str) {
    assert!(
        run.err.lines().any(|line| line.ends_with(error)),
        "{run:#?}"
    );
}

/// [`FILES`] old files in [`FOLDERS`]; what is there already is only made old again.
fn fill(sandbox: &Sandbox) {
    for file in 0..FILES {
        let path = name(file);
        if fs::read(sandbox.path(&path)).is_ok_and(|text| text == OLD.as_bytes()) {
            continue;
        }
        sandbox.write(path, OLD);
    }
}

fn name(file: usize) -> String {
    format!("{}/{file}.Dockerfile", file % FOLDERS)
}

/// How many files are new; the others are old, and all of them are whole.
fn count_of_new(sandbox: &Sandbox) -> usize {
    let folders = 0..FOLDERS;
    folders.map(|folder| count_of_new_in(sandbox, folder)).sum()
}

fn count_of_new_in(sandbox: &Sandbox, folder: usize) -> usize {
    let is_new = |file: &usize| {
        let text = sandbox.text(name(*file));
        assert!(text == OLD || text == NEW, "{file}: {text:?}");
        text == NEW
    };
    let files = (folder..FILES).step_by(FOLDERS);
    files.filter(is_new).count()
}

/// How many names there are in the folders.
fn names(sandbox: &Sandbox) -> usize {
    let names = |folder: usize| fs::read_dir(sandbox.path(folder.to_string())).unwrap();
    (0..FOLDERS).map(|folder| names(folder).count()).sum()
}

/// A run that writes below a folder, and goes on by itself.
fn spawned(sandbox: &Sandbox, folder: &str) -> Child {
    let mut command = sandbox.command();
    command.args(WRITE).arg(folder);
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// dockeropt as a user who is not the superuser, to whom all that is in the sandbox belongs; `None` where there is no
/// superuser to become somebody else.
fn as_somebody(sandbox: &Sandbox) -> Option<Command> {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return Some(sandbox.command());
    }
    let program = sandbox.path("dockeropt");
    fs::copy(env!("CARGO_BIN_EXE_dockeropt"), &program).unwrap();
    let chown = Command::new("chown")
        .args(["-R", &NOBODY.to_string()])
        .arg(sandbox.path(""))
        .status();
    assert!(chown.unwrap().success());
    let mut command = Command::new(program);
    command.current_dir(sandbox.path("")).uid(NOBODY);
    Some(command)
}

/// A file system of 64 KiB in the folder `small` of a sandbox.
#[cfg(target_os = "linux")]
struct Mount {
    path: PathBuf,
}

#[cfg(target_os = "linux")]
impl Mount {
    /// `None` where this user may not mount one.
    fn small(sandbox: &Sandbox) -> Option<Self> {
        let path = sandbox.path("small");
        fs::create_dir(&path).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=64k", "dockeropt-test"]);
        let ran = command.arg(&path).output();
        let is_mounted = ran.is_ok_and(|ran| ran.status.success());
        if !is_mounted {
            eprintln!("skipped: no file system can be mounted");
        }
        is_mounted.then_some(Self { path })
    }

    fn remount_read_only(&self) {
        let mut command = Command::new("mount");
        let status = command.args(["-o", "remount,ro"]).arg(&self.path).status();
        assert!(status.unwrap().success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).status();
    }
}
