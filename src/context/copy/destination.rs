//! The destination of a COPY or ADD: where what is brought lands in the image.

use crate::context::path;

/// A path of the image. What it names may be behind a symlink of the image, which nobody can see from here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImagePath {
    /// Absolute and cleaned.
    Absolute(String),
    /// Relative to a working directory that is not known, cleaned, not above it; empty for the directory itself.
    BelowWorkdir(String),
}

impl ImagePath {
    /// This path followed by `rest`, which may be empty.
    #[must_use]
    pub fn join(&self, rest: &str) -> Self {
        match self {
            Self::Absolute(path) => Self::Absolute(path::join(path, rest)),
            Self::BelowWorkdir(path) => Self::BelowWorkdir(path::join(path, rest)),
        }
    }
}

impl std::fmt::Display for ImagePath {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absolute(path) => out.write_str(path),
            Self::BelowWorkdir(path) => write!(out, "./{path}"),
        }
    }
}

/// Where one path lands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// Here.
    At(ImagePath),
    /// A file whose destination has no trailing slash: at `file`, or at `inside` if a directory stands there already.
    FileOrInside {
        /// The destination itself.
        file: ImagePath,
        /// The destination and the file's name.
        inside: ImagePath,
    },
    /// The destination leaves a working directory that is not known.
    Unknown,
}

impl Landing {
    /// The place, where there is only one.
    #[must_use]
    pub fn certain(&self) -> Option<&ImagePath> {
        match self {
            Self::At(place) => Some(place),
            Self::FileOrInside { .. } | Self::Unknown => None,
        }
    }
}

/// The destination of one COPY or ADD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    place: Option<ImagePath>,
    is_directory: bool,
}

impl Destination {
    /// `written` as the builder has it, in a stage whose working directory is `workdir`: absolute and made by a
    /// WORKDIR, or not known.
    pub(super) fn new(written: &str, workdir: Option<&str>) -> Self {
        let slash_ended =
            matches!(written, "" | ".") || written.ends_with('/') || written.ends_with("/.");
        let workdir = workdir.filter(|workdir| workdir.starts_with('/'));
        let place = match (written.starts_with('/'), workdir) {
            (true, _) => Some(ImagePath::Absolute(path::clean(written))),
            (false, Some(workdir)) => Some(ImagePath::Absolute(path::clean(&format!(
                "{workdir}/{written}"
            )))),
            (false, None) => path::resolve_from("", written).map(ImagePath::BelowWorkdir),
        };
        let stands_already = match &place {
            Some(ImagePath::Absolute(place)) => {
                place == "/"
                    || workdir
                        .is_some_and(|workdir| path::below(&path::clean(workdir), place).is_some())
            }
            Some(ImagePath::BelowWorkdir(place)) => place.is_empty(),
            None => false,
        };
        Self {
            place,
            is_directory: slash_ended || stands_already,
        }
    }

    /// The path, unless it leaves a working directory that is not known.
    #[must_use]
    pub fn place(&self) -> Option<&ImagePath> {
        self.place.as_ref()
    }

    /// Whether it is certainly a directory: it ends in `/` or `/.`, it is `.`, or it is the root, the working directory
    /// or a directory above that.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.is_directory
    }

    /// Where a file called `name` lands that a source names or matches.
    pub(super) fn of_file(&self, name: &str) -> Landing {
        let Some(place) = &self.place else {
            return Landing::Unknown;
        };
        let inside = place.join(name);
        if self.is_directory {
            Landing::At(inside)
        } else {
            Landing::FileOrInside {
                file: place.clone(),
                inside,
            }
        }
    }

    /// Where `rest` of a directory lands whose contents are copied.
    pub(super) fn of_contents(&self, rest: &str) -> Landing {
        self.place
            .as_ref()
            .map_or(Landing::Unknown, |place| Landing::At(place.join(rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(written: &str, workdir: Option<&str>) -> (String, bool) {
        let destination = Destination::new(written, workdir);
        (
            destination
                .place()
                .map_or("?".to_owned(), ToString::to_string),
            destination.is_directory(),
        )
    }

    #[test]
    fn places() {
        let app = Some("/app");
        for (written, workdir, expected, is_directory) in [
            ("/abs/", app, "/abs", true),
            ("/abs", app, "/abs", false),
            ("/abs/.", app, "/abs", true),
            ("/a/../../b/", app, "/b", true),
            ("/", None, "/", true),
            ("/x/..", None, "/", true),
            ("rel/", app, "/app/rel", true),
            ("rel", app, "/app/rel", false),
            (".", app, "/app", true),
            ("./", app, "/app", true),
            ("./.", app, "/app", true),
            ("", app, "/app", true),
            ("../x", app, "/x", false),
            ("../../../x/", app, "/x", true),
            // A WORKDIR has made its directory and those above it.
            ("/app", app, "/app", true),
            ("/app", Some("/app/src"), "/app", true),
            ("..", Some("/app/src"), "/app", true),
            ("/ap", app, "/ap", false),
            ("rel/", None, "./rel", true),
            ("rel", None, "./rel", false),
            (".", None, "./", true),
            ("../x/", None, "?", true),
            ("rel/", Some("not/absolute"), "./rel", true),
        ] {
            assert_eq!(
                place(written, workdir),
                (expected.to_owned(), is_directory),
                "{written} in {workdir:?}"
            );
        }
    }
}
