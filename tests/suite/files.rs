//! The project's own files: where they are, and which of them are Dockerfiles.

use std::fs;
use std::path::{Path, PathBuf};

/// A file or folder of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The path as tests name it: relative to the repository, `/`-separated.
pub(crate) fn name_of(path: &Path) -> String {
    let relative = path.strip_prefix(repository("")).unwrap_or(path);
    relative.to_string_lossy().replace('\\', "/")
}

/// Every file under `root`, in path order; none where `root` does not exist.
pub(crate) fn files_under(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

/// The direct subfolders of `root`, in order.
pub(crate) fn folders_in(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Every Dockerfile that the project ships: conformance cases, rule cases and examples, with their bytes.
pub(crate) fn own_dockerfiles() -> Vec<(PathBuf, Vec<u8>)> {
    let roots = ["tests/conformance/cases", "tests/cases", "examples"];
    let files = roots.iter().flat_map(|root| files_under(&repository(root)));
    let dockerfiles = files.filter(|path| is_dockerfile(path));
    dockerfiles
        .map(|path| {
            let text = fs::read(&path).unwrap();
            (path, text)
        })
        .collect()
}

fn is_dockerfile(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == "Dockerfile" || name.ends_with(".Dockerfile")
}
