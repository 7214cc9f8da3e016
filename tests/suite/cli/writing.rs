//! `--write`: what is kept, what is left behind, and readers that go away.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use super::sandbox::{AFTER, BEFORE, Sandbox};

#[test]
fn nothing_is_left_beside_the_file() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    sandbox.run(&["fix", "--write"]).ended(0);
    let names: Vec<_> = fs::read_dir(sandbox.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["Dockerfile"]);
}

#[test]
fn bytes_that_no_rule_touches_stay() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "Dockerfile",
        b"\xef\xbb\xbfFROM scratch\r\n# caf\xe9\t \r\nADD a /a\r\n\r\nCMD [\"/a\"]",
    );
    sandbox.run(&["fix", "--write"]).ended(0);
    let expected = b"\xef\xbb\xbfFROM scratch\r\n# caf\xe9\t \r\nCOPY a /a\r\n\r\nCMD [\"/a\"]";
    assert_eq!(sandbox.read("Dockerfile"), expected);
}

#[test]
fn a_file_that_nothing_changes_is_not_written() {
    let sandbox = Sandbox::with(&[("Dockerfile", AFTER)]);
    let modified = || {
        fs::metadata(sandbox.path("Dockerfile"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = modified();
    sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(modified(), before);
}

#[cfg(unix)]
#[test]
fn mode_and_owner_are_kept() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let path = sandbox.path("Dockerfile");
    // Only the superuser gives files away.
    let _ = chown(&path, Some(12), Some(34));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
    let of = || {
        let metadata = fs::metadata(&path).unwrap();
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
    };
    let before = of();
    assert_eq!(before.2, 0o751);
    sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(sandbox.text("Dockerfile"), AFTER);
    assert_eq!(of(), before);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::new();
    for folder in 0..2000 {
        sandbox.write(format!("{folder}/Dockerfile"), BEFORE);
    }
    let mut command = sandbox.command();
    let command = command
        .arg("fix")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 4];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"--- ");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("error"), "{said}");
}

#[test]
fn writing_goes_on_when_its_reader_goes_away() {
    let sandbox = Sandbox::new();
    for folder in 0..600 {
        sandbox.write(format!("{folder}/Dockerfile"), BEFORE);
    }
    let mut command = sandbox.command();
    let command = command
        .args(["fix", "--write"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait_with_output().unwrap().status.success());
    for folder in 0..600 {
        assert_eq!(sandbox.text(format!("{folder}/Dockerfile")), AFTER);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_printed_is_an_error() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = sandbox.command();
    let status = command
        .arg("fix")
        .stdout(full)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}
