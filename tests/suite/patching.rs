//! The printed diff, put through the tools that people put it through: `patch -p1` and `git apply`, there and back.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use dockeropt::report::Report;

use crate::run::printed_diff;

/// Whether the diff of a report turns its source into its output with both tools, and back; else what went wrong.
pub(crate) fn applies_and_reverses(report: &Report) -> Result<(), String> {
    if !report.is_changed() {
        return Ok(());
    }
    let diff = printed_diff(report);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (before, after) = (&report.source.text, &report.output);
    let patch = [
        "patch",
        "-p1",
        "--binary",
        "--no-backup-if-mismatch",
        "-s",
        "-i",
        "change.diff",
    ];
    let git = ["git", "apply", "--whitespace=nowarn", "change.diff"];
    fs::write(folder.path().join("change.diff"), &diff).unwrap();
    for tool in [&patch[..], &git[..]] {
        fs::write(folder.path().join("Dockerfile"), before).unwrap();
        turn(folder.path(), tool, &[], after)?;
        turn(folder.path(), tool, &["-R"], before)?;
    }
    Ok(())
}

/// Runs the tool, and compares the Dockerfile with what it should be.
fn turn(folder: &Path, tool: &[&str], extra: &[&str], wanted: &[u8]) -> Result<(), String> {
    let done = Command::new(tool[0])
        .args(&tool[1..])
        .args(extra)
        .current_dir(folder)
        .env("GIT_CEILING_DIRECTORIES", folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", tool[0]))?;
    if !done.status.success() {
        let said = [done.stdout, done.stderr].concat();
        return Err(format!(
            "{tool:?} {extra:?}: {}",
            String::from_utf8_lossy(&said)
        ));
    }
    let found = fs::read(folder.join("Dockerfile")).unwrap();
    let same = found == wanted;
    same.then_some(())
        .ok_or_else(|| format!("{tool:?} {extra:?} gives another file"))
}
