//! Where a Dockerfile stands, and who else builds from its context.
//!
//! Which ignore file holds for a build depends on both. Nothing is searched for here: the caller says what it knows.

use super::ignore::{self, Ignore, IgnoreError};
use super::{BuildContext, Entry};

/// The place of one Dockerfile.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Its path in the build context; `None` where it stands elsewhere, or has no path.
    pub dockerfile: Option<String>,
    /// The text of the ignore file beside it, where both stand outside of the context.
    pub own_ignore: Option<Vec<u8>>,
    /// The other Dockerfiles that some file builds from the same context.
    pub others: Vec<Other>,
    /// Why there may be others, where that is so.
    pub more: Option<String>,
}

/// Another Dockerfile of the same context.
#[derive(Debug, Clone)]
pub struct Other {
    /// Its path as messages name it.
    pub shown: String,
    /// Its path in the context, where it stands there.
    pub path: Option<String>,
    /// Its text.
    pub text: Vec<u8>,
}

/// The ignore file of a build: read, and where it is.
#[derive(Debug, Clone)]
pub struct IgnoreFile {
    /// What it says.
    pub ignore: Ignore,
    /// Its path in the context; that of the one to make where there is none. `None` where it stands elsewhere.
    pub path: Option<String>,
}

impl Site {
    /// A Dockerfile that stands at `path` of its context, and has it for itself.
    #[must_use]
    pub fn at(path: &str) -> Self {
        Self {
            dockerfile: Some(path.to_owned()),
            ..Self::default()
        }
    }

    /// The ignore file that holds for the Dockerfile: its own, else that of the context.
    ///
    /// # Errors
    /// As [`ignore::load`].
    pub fn ignore(&self, context: &dyn BuildContext) -> Result<IgnoreFile, IgnoreError> {
        if let Some(text) = &self.own_ignore {
            return Ok(IgnoreFile {
                ignore: Ignore::parse(text)?,
                path: None,
            });
        }
        // No file has the empty name: without a Dockerfile in the context the context's own is left.
        let (file, ignore) = match &self.dockerfile {
            Some(dockerfile) => ignore::load(context, "", dockerfile)?,
            None => ignore::load(context, "", "")?,
        };
        Ok(IgnoreFile {
            ignore,
            path: Some(file.unwrap_or_else(|| ignore::FILE_NAME.to_owned())),
        })
    }

    /// Whether the Dockerfile at `path` of the context has an ignore file of its own.
    #[must_use]
    pub fn has_own(context: &dyn BuildContext, path: &str) -> bool {
        let own = format!("{path}{}", ignore::FILE_NAME);
        matches!(context.entry(&own), Some(Entry::File(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::MemoryContext;

    #[test]
    fn the_ignore_file_beside_the_dockerfile_comes_first() {
        let context = MemoryContext::from([
            (".dockerignore", "a\n"),
            ("docker/web.Dockerfile.dockerignore", "b\n"),
        ]);
        let found = |site: &Site| {
            let found = site.ignore(&context).expect("readable");
            (found.path, found.ignore.patterns().collect::<Vec<_>>())
        };
        let own = Some("docker/web.Dockerfile.dockerignore".to_owned());
        assert_eq!(
            found(&Site::at("docker/web.Dockerfile")),
            (own, vec!["b".to_owned()])
        );
        let common = (Some(".dockerignore".to_owned()), vec!["a".to_owned()]);
        assert_eq!(found(&Site::at("Dockerfile")), common);
        assert_eq!(found(&Site::default()), common);
        let outside = Site {
            own_ignore: Some(b"c\n".to_vec()),
            ..Site::default()
        };
        assert_eq!(found(&outside), (None, vec!["c".to_owned()]));
    }
}
