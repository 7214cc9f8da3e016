//! All files that one requirements file brings with `-r` and `-c`. Follows nothing that is not in the context.

use super::requirements::{Include, Requirements, Target, requirements};
use super::{Requirement, Source};
use crate::context::BuildContext;
use crate::project::{ManifestError, path, read};

/// The most files that one requirements file may bring.
const FILES: usize = 200;

/// A requirements file and all files that it brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementFiles {
    /// Path in the context and content, the file that was asked for first; no path twice.
    pub files: Vec<(String, Requirements)>,
}

impl RequirementFiles {
    /// All requirements, each with the path of its file.
    pub fn requirements(&self) -> impl Iterator<Item = (&str, &Requirement)> {
        self.files.iter().flat_map(|(path, file)| {
            let requirements = file.requirements.iter();
            requirements.map(move |requirement| (path.as_str(), requirement))
        })
    }

    /// The first thing that cannot be known from the context: a URL that is included, or a variable. The path of the
    /// file, the line and the text.
    pub fn unknown(&self) -> Option<(&str, u32, &str)> {
        self.files.iter().find_map(|(path, file)| {
            let include = file
                .includes
                .iter()
                .find_map(|include| match &include.target {
                    Target::Path(_) => None,
                    Target::Url(text) | Target::Computed(text) => {
                        Some((include.line, text.as_str()))
                    }
                });
            let requirement =
                file.requirements
                    .iter()
                    .find_map(|requirement| match &requirement.source {
                        Source::Computed(text) => Some((requirement.line, text.as_str())),
                        _ => None,
                    });
            let (line, text) = include.or(requirement)?;
            Some((path.as_str(), line, text))
        })
    }
}

/// The requirements file at `path`, with all files that it brings.
///
/// # Errors
/// One of them is broken, is not in the context, or there are more than 200.
pub fn requirement_files(
    context: &dyn BuildContext,
    path: &str,
) -> Result<RequirementFiles, ManifestError> {
    let bytes = read::file(context, path)?
        .ok_or_else(|| ManifestError::new(path, None, "is not in the build context"))?;
    let mut files = vec![(path.to_owned(), requirements(path, &bytes)?)];
    let mut next = 0;
    while let Some((from, content)) = files.get(next) {
        let mut found = Vec::new();
        for include in &content.includes {
            let Some(target) = included(from, include)? else {
                continue;
            };
            if files.iter().chain(&found).any(|(path, _)| *path == target) {
                continue;
            }
            if files.len() + found.len() >= FILES {
                return Err(ManifestError::new(path, None, "brings more than 200 files"));
            }
            let bytes = read::file(context, &target)?.ok_or_else(|| {
                let message = format!("includes `{target}`, which is not in the build context");
                ManifestError::new(from, Some(include.line), message)
            })?;
            let content = requirements(&target, &bytes)?;
            found.push((target, content));
        }
        files.extend(found);
        next += 1;
    }
    Ok(RequirementFiles { files })
}

/// The path in the context of the file that `include`, in the file at `from`, names.
fn included(from: &str, include: &Include) -> Result<Option<String>, ManifestError> {
    let Target::Path(target) = &include.target else {
        return Ok(None);
    };
    let joined = path::join(path::parent(from), target);
    joined.map(Some).ok_or_else(|| {
        let message = format!("includes `{target}`, which is outside the build context");
        ManifestError::new(from, Some(include.line), message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::files;

    #[test]
    fn follows_includes_from_the_file_that_names_them() {
        let context = files(&[
            ("requirements.txt", "-r requirements/prod.txt\n"),
            (
                "requirements/prod.txt",
                "-r base.txt\n-c ../constraints.txt\ngunicorn\n",
            ),
            ("requirements/base.txt", "-r prod.txt\nflask\n"),
            ("constraints.txt", "flask<3\n"),
        ]);
        let closure = requirement_files(&context, "requirements.txt").unwrap();
        let paths: Vec<_> = closure
            .files
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(
            paths,
            [
                "requirements.txt",
                "requirements/prod.txt",
                "requirements/base.txt",
                "constraints.txt"
            ]
        );
        assert_eq!(closure.requirements().count(), 3);
        assert_eq!(closure.unknown(), None);
    }

    #[test]
    fn tells_what_is_missing_outside_or_unknown() {
        let context = files(&[
            ("a.txt", "flask\n-r missing.txt\n"),
            ("b.txt", "-r ../b.txt\n"),
            ("c.txt", "flask\n-r https://example.com/c.txt\n"),
            ("d.txt", "-r ${ENVIRONMENT}.txt\n"),
        ]);
        let error = requirement_files(&context, "a.txt").unwrap_err();
        assert_eq!((error.path.as_str(), error.line), ("a.txt", Some(2)));
        assert_eq!(
            requirement_files(&context, "b.txt").unwrap_err().line,
            Some(1)
        );
        assert_eq!(requirement_files(&context, "e.txt").unwrap_err().line, None);
        let closure = requirement_files(&context, "c.txt").unwrap();
        assert_eq!(
            closure.unknown(),
            Some(("c.txt", 2, "https://example.com/c.txt"))
        );
        assert!(
            requirement_files(&context, "d.txt")
                .unwrap()
                .unknown()
                .is_some()
        );
    }
}
