//! `verify` and `fix --verify` as far as they come without an engine: what they refuse, and what they say of engines.

use super::sandbox::{BEFORE, Ran, Sandbox};

#[test]
fn without_an_engine_that_is_said() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let last = |args: &[&str]| {
        let mut command = sandbox.command();
        let output = command.args(args).env("PATH", "").output().unwrap();
        Ran::new(output).ended(2).last().to_owned()
    };
    let none = "error: no container engine is installed: there is no `docker`, `podman` or `buildah` command";
    assert_eq!(last(&["verify"]), none);
    assert_eq!(last(&["fix", "--verify", "--write"]), none);
    assert_eq!(
        last(&["verify", "--engine=buildah"]),
        "error: `buildah` is not installed: there is no such command"
    );
    assert_eq!(sandbox.text("Dockerfile"), BEFORE);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_built() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let check = |args: &[&str], expected: &str| {
        let ran = sandbox.run(args).ended(2);
        assert_eq!(ran.last(), format!("error: {expected}"));
    };
    check(&["verify", "-"], "`-` cannot be built: name a file");
    check(
        &["verify", "--http=web/health"],
        "`--http web/health`: `web` is no port; write `8000/health`",
    );
    check(&["verify", "--smoke="], "`--smoke` names no command");
    check(
        &["verify", "--smoke=echo 'a"],
        "`--smoke` has a quote that is not closed",
    );
    check(
        &["fix", "--smoke=true"],
        "how images are built and tried is of use with `--verify` only",
    );
}

/// Commands in the place of engines, which say what engines say that cannot be used.
#[cfg(unix)]
#[test]
fn engines_that_cannot_be_used_are_understood() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let check = |script: &str, expected: &str| {
        let program = sandbox.path("bin/docker");
        sandbox.write("bin/docker", format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = sandbox.command();
        command.args(["verify", "--engine=docker"]);
        let output = command.env("PATH", sandbox.path("bin")).output().unwrap();
        assert_eq!(
            Ran::new(output).ended(2).last(),
            format!("error: {expected}")
        );
    };
    check(
        "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1",
        "the docker daemon is not running: start it",
    );
    check(
        "echo 'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock' >&2; exit 1",
        "docker does not let this user in: join the group `docker`, or use rootless docker",
    );
    check(
        "echo 20.10.24",
        "docker 20.10.24 is too old: 23 or newer is needed",
    );
    check(
        "case $1 in version) echo 28.5.2;; *) echo \"'buildx' is not a docker command\" >&2; exit 1;; esac",
        "docker 28.5.2 has no buildx, and so no BuildKit: install the buildx plugin",
    );
}
