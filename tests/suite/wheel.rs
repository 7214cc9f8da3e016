//! The wheel that `pyproject.toml` describes, built by maturin and installed by pip.

use std::path::Path;
use std::process::Command;

use crate::cli::sandbox::{GOOD, Sandbox};
use crate::precommit::built_once;

#[test]
fn pip_installs_the_program_from_a_wheel() {
    let is_missing = |program: &str| Command::new(program).arg("--version").output().is_err();
    if is_missing("maturin") || is_missing("python3") {
        eprintln!("skipped: needs maturin and python3");
        return;
    }
    let sandbox = Sandbox::with(&[("Dockerfile", GOOD)]);
    let run = |program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        let command = built_once(command.args(args)).current_dir(sandbox.path(""));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{program:?} {args:?}: {output:#?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let wheels = [
        "build",
        "--release",
        "--locked",
        "--out",
        "wheels",
        "--manifest-path",
        manifest,
    ];
    run(Path::new("maturin"), &wheels);
    run(Path::new("python3"), &["-m", "venv", "installed"]);
    let pip = sandbox.path("installed/bin/pip");
    run(
        &pip,
        &[
            "install",
            "--no-index",
            "--find-links",
            "wheels",
            "dockeropt",
        ],
    );
    let program = sandbox.path("installed/bin/dockeropt");
    let version = run(&program, &["--version"]);
    assert_eq!(
        version,
        concat!("dockeropt ", env!("CARGO_PKG_VERSION"), "\n")
    );
    run(&program, &["check"]);
}
