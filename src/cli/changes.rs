//! What a report changes on disk: the Dockerfile, and the files of the build context that its fixes write.
//!
//! Beside the Dockerfile, never a file outside of the build context.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::run::Done;
use super::write::Change;
use crate::walk::{self, PathError};

/// The changes of one report, the Dockerfile's first; they are made together or not at all.
///
/// # Errors
/// Where a fix writes a file whose place in the build context cannot be told, or that cannot be read.
pub(super) fn changes(done: &Done<'_>) -> Result<Vec<Change>, PathError> {
    let report = &done.report;
    let mut changes = Vec::new();
    if report.is_changed() {
        changes.push(Change {
            path: done.input.target().to_owned(),
            before: Some(report.source.text.clone()),
            after: report.output.clone(),
        });
    }
    for (path, after) in report.written() {
        let (path, before) = file(path, done.root.as_deref())?;
        changes.push(Change {
            path,
            before,
            after: after.to_owned(),
        });
    }
    Ok(changes)
}

/// Where `path` of the build context `root` is on disk, and the bytes that are there; `None` where there is no file.
///
/// # Errors
/// As [`changes`].
pub(super) fn file(
    path: &Path,
    root: Option<&Path>,
) -> Result<(PathBuf, Option<Vec<u8>>), PathError> {
    let path = place(path, root)?;
    let before = before(&path)?;
    Ok((path, before))
}

/// Where `path` of the build context `root` is on disk, as [`walk::Found::target`].
fn place(path: &Path, root: Option<&Path>) -> Result<PathBuf, PathError> {
    let is_plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let Some(root) = root.filter(|_| is_plain) else {
        return Err(PathError::new(
            path,
            "its place in the build context is not known",
        ));
    };
    let place = root.join(path);
    let folder = place.parent().unwrap_or(root);
    let real = folder
        .canonicalize()
        .map_err(|error| PathError::io(folder, &error))?;
    if real != folder || place.is_symlink() {
        return Err(PathError::new(
            place,
            "is behind a symlink, which is not written through",
        ));
    }
    let here = std::env::current_dir().map_err(|error| PathError::io(path, &error))?;
    Ok(walk::from_here(&here, place))
}

/// The bytes of the file at `path`; `None` where there is no file.
fn before(path: &Path) -> Result<Option<Vec<u8>>, PathError> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => walk::read_regular(path).map(Some),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cli::inputs::Input;
    use crate::context::site::Site;
    use crate::model::ModelInput;
    use crate::report::{Finding, Fix, Report};
    use crate::rule::Applicability;
    use crate::text::{Patch, Source, Span};

    /// A report on an unchanged Dockerfile, with an applied finding that writes `files`.
    fn done<'a>(input: &'a Input, root: &Path, files: &[(&str, &str)]) -> Done<'a> {
        let text = b"FROM scratch\n".to_vec();
        let files = files
            .iter()
            .map(|(path, after)| (path.into(), after.as_bytes().to_vec()));
        let finding = Finding {
            rule: "dockerignore".to_owned(),
            span: Span::at(0),
            message: String::new(),
            fix: Some(Fix {
                title: String::new(),
                applicability: Applicability::Unsafe,
                patch: Patch::default(),
                files: files.collect(),
                sent: None,
                saving: None,
                reasons: Vec::new(),
            }),
            alone: None,
            applied: true,
            estimate: None,
            rebuilds: Vec::new(),
        };
        let report = Report {
            output: text.clone(),
            suggested: None,
            source: Source {
                path: "Dockerfile".into(),
                text,
            },
            findings: vec![finding],
            declined: Vec::new(),
            withheld: Vec::new(),
            refused: Vec::new(),
            rebuilds: Vec::new(),
        };
        Done {
            input,
            report,
            context: String::new(),
            root: Some(root.to_owned()),
            build: ModelInput::default(),
            site: Site::default(),
            notes: Vec::new(),
            is_narrowed: false,
        }
    }

    #[test]
    fn files_of_the_context_are_made_and_changed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("old"), "before").unwrap();
        let input = Input::Stdin("Dockerfile".into());
        let changes = changes(&done(&input, &root, &[("old", "after"), ("new", "made")])).unwrap();
        let expected = [("new", None, "made"), ("old", Some("before"), "after")];
        let expected = expected.map(|(path, before, after)| Change {
            path: root.join(path),
            before: before.map(|text| text.as_bytes().to_vec()),
            after: after.as_bytes().to_vec(),
        });
        assert_eq!(changes, expected);
    }

    #[cfg(unix)]
    #[test]
    fn the_context_is_not_left() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("/", root.join("out")).unwrap();
        let input = Input::Stdin("Dockerfile".into());
        for path in ["../file", "/file", "out", "out/file"] {
            changes(&done(&input, &root, &[(path, "text")])).unwrap_err();
        }
    }
}
