//! One requirement, as PEP 508 and pip spell it. Reads no file: whether a path exists is for the caller to ask.

use super::normalize_name;

/// One requirement of a file or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// 1-based line of the manifest.
    pub line: u32,
    /// What is required.
    pub source: Source,
    /// `-e`: installed in development mode, so that the source must stay where it is.
    pub editable: bool,
    /// The environment marker after `;`, verbatim.
    pub marker: Option<String>,
    /// Number of `--hash` options.
    pub hashes: usize,
}

/// What a requirement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A distribution from the index.
    Index {
        /// Normalized (PEP 503).
        name: String,
        /// Extras, as they stand.
        extras: Vec<String>,
        /// Version specifier, verbatim; empty for any version.
        specifier: String,
    },
    /// A file to download.
    Url(String),
    /// A repository to clone: the installer needs git, hg, svn or bzr.
    Vcs(String),
    /// A file or directory. In a requirements file pip takes it relative to its own working directory, not to the file;
    /// `file:` URLs are given without the scheme.
    Local(String),
    /// The text names an environment variable, which pip expands.
    Computed(String),
}

impl Requirement {
    /// The requirement that `text` is, without options.
    ///
    /// # Errors
    /// A message: it is neither a name with a version, nor a URL, nor a path.
    pub fn parse(line: u32, text: &str, editable: bool) -> Result<Self, String> {
        let (text, marker) = split_marker(text.trim());
        let source = Source::parse(text)?;
        Ok(Self {
            line,
            source,
            editable,
            marker,
            hashes: 0,
        })
    }

    /// The path, if it names a file or directory.
    pub fn local_path(&self) -> Option<&str> {
        match &self.source {
            Source::Local(path) => Some(path),
            _ => None,
        }
    }
}

impl Source {
    fn parse(text: &str) -> Result<Self, String> {
        if names_variable(text) {
            return Ok(Self::Computed(text.to_owned()));
        }
        if is_url(text) {
            return Ok(Self::of_url(text));
        }
        if let Some((name, url)) = text.split_once('@')
            && is_url(url.trim())
            && split_name(name.trim()).is_some_and(|(_, _, rest)| rest.is_empty())
        {
            return Ok(Self::of_url(url.trim()));
        }
        if looks_like_path(text) {
            return Ok(Self::Local(without_extras(text).to_owned()));
        }
        let Some((name, extras, specifier)) = split_name(text) else {
            return Err(format!("`{}` is not a requirement", clip(text)));
        };
        if !specifier.is_empty() && !specifier.starts_with(['<', '>', '=', '!', '~', '(']) {
            return Err(format!("`{}` is not a requirement", clip(text)));
        }
        Ok(Self::Index {
            name: normalize_name(name),
            extras,
            specifier: specifier.to_owned(),
        })
    }

    fn of_url(url: &str) -> Self {
        let lower = url.to_ascii_lowercase();
        let is_vcs = ["git", "hg", "svn", "bzr"].iter().any(|vcs| {
            lower
                .strip_prefix(vcs)
                .is_some_and(|rest| rest.starts_with(['+', ':']))
        });
        if is_vcs {
            return Self::Vcs(url.to_owned());
        }
        if !lower.starts_with("file:") {
            return Self::Url(url.to_owned());
        }
        let path = url.get("file:".len()..).unwrap_or_default();
        let path = path.split('#').next().unwrap_or_default();
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path
            .strip_prefix("localhost/")
            .map_or_else(|| path.to_owned(), |below| format!("/{below}"));
        Self::Local(path)
    }
}

/// Whether pip would expand an environment variable in `text`: `${NAME}`, upper case, digits and `_`.
pub(super) fn names_variable(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| {
        rest.split_once('}').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
    })
}

/// Whether `text` starts with a scheme that pip fetches from.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else {
        return false;
    };
    let scheme = scheme.to_ascii_lowercase();
    matches!(
        scheme.as_str(),
        "http" | "https" | "ftp" | "file" | "git" | "hg" | "svn" | "bzr"
    ) || ["git+", "hg+", "svn+", "bzr+"]
        .iter()
        .any(|prefix| scheme.starts_with(prefix))
}

/// The text before the environment marker, and the marker. In a URL, `;` counts only with a blank beside it.
fn split_marker(text: &str) -> (&str, Option<String>) {
    let url = is_url(text) || text.contains("://");
    let at = if url {
        text.find(" ;").or_else(|| text.find("; "))
    } else {
        text.find(';')
    };
    let Some((before, marker)) = at.and_then(|at| text.split_at_checked(at)) else {
        return (text, None);
    };
    let marker = marker.trim_start().trim_start_matches(';').trim();
    (before.trim_end(), Some(marker.to_owned()))
}

/// As pip's `_looks_like_path`, and the names of archives.
fn looks_like_path(text: &str) -> bool {
    const ARCHIVES: [&str; 9] = [
        ".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz",
    ];
    let bare = without_extras(text).to_ascii_lowercase();
    text.starts_with('.')
        || bare.contains(['/', '\\'])
        || ARCHIVES.iter().any(|archive| bare.ends_with(archive))
}

/// `./dir[extra,other]` without the brackets.
fn without_extras(text: &str) -> &str {
    match text
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['))
    {
        Some((path, _)) => path.trim_end(),
        None => text,
    }
}

/// Name, extras, and what comes after them.
fn split_name(text: &str) -> Option<(&str, Vec<String>, &str)> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let (name, rest) = text.split_at_checked(text.find(ends).unwrap_or(text.len()))?;
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !name.ends_with(|c: char| c.is_ascii_alphanumeric())
    {
        return None;
    }
    let rest = rest.trim_start();
    let Some(bracket) = rest.strip_prefix('[') else {
        return Some((name, Vec::new(), rest));
    };
    let (extras, rest) = bracket.split_once(']')?;
    let extras = extras.split(',').map(str::trim);
    let extras = extras.filter(|extra| !extra.is_empty());
    Some((name, extras.map(str::to_owned).collect(), rest.trim_start()))
}

/// The start of a text that a message quotes.
fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Requirement::parse(1, text, false).unwrap().source
    }

    fn index(name: &str, extras: &[&str], specifier: &str) -> Source {
        Source::Index {
            name: name.to_owned(),
            extras: extras.iter().map(|extra| (*extra).to_owned()).collect(),
            specifier: specifier.to_owned(),
        }
    }

    #[test]
    fn reads_names_extras_and_specifiers() {
        assert_eq!(source("requests"), index("requests", &[], ""));
        assert_eq!(source("Django>=3.2,<4"), index("django", &[], ">=3.2,<4"));
        assert_eq!(
            source("uvicorn[standard, x] == 0.30.*"),
            index("uvicorn", &["standard", "x"], "== 0.30.*")
        );
        assert_eq!(source("foo (>=1)"), index("foo", &[], "(>=1)"));
    }

    #[test]
    fn keeps_markers() {
        let requirement =
            Requirement::parse(4, "pywin32>=1 ; sys_platform == 'win32'", false).unwrap();
        assert_eq!(
            requirement.marker.as_deref(),
            Some("sys_platform == 'win32'")
        );
        assert_eq!(requirement.source, index("pywin32", &[], ">=1"));
        let url = Requirement::parse(4, "a @ https://x/y;z ; python_version<'3'", false).unwrap();
        assert_eq!(url.source, Source::Url("https://x/y;z".to_owned()));
        assert_eq!(url.marker.as_deref(), Some("python_version<'3'"));
    }

    #[test]
    fn tells_urls_repositories_and_paths_apart() {
        let local = |path: &str| Source::Local(path.to_owned());
        assert_eq!(source("."), local("."));
        assert_eq!(source(".[test]"), local("."));
        assert_eq!(source("./lib/x"), local("./lib/x"));
        assert_eq!(
            source("vendor/foo-1.0-py3-none-any.whl"),
            local("vendor/foo-1.0-py3-none-any.whl")
        );
        assert_eq!(source("foo-1.0.tar.gz"), local("foo-1.0.tar.gz"));
        assert_eq!(source("file:///app/lib#egg=x"), local("/app/lib"));
        assert_eq!(source("file:./lib"), local("./lib"));
        assert_eq!(source("lib @ file://localhost/app/lib"), local("/app/lib"));
        assert_eq!(
            source("git+https://github.com/a/b.git@v1#egg=b"),
            Source::Vcs("git+https://github.com/a/b.git@v1#egg=b".to_owned())
        );
        assert_eq!(
            source("b @ git+ssh://git@github.com/a/b"),
            Source::Vcs("git+ssh://git@github.com/a/b".to_owned())
        );
        assert_eq!(
            source("b[x] @ https://example.com/b.zip"),
            Source::Url("https://example.com/b.zip".to_owned())
        );
    }

    #[test]
    fn leaves_variables_to_pip() {
        let text = "git+https://${TOKEN}@github.com/a/b";
        assert_eq!(source(text), Source::Computed(text.to_owned()));
        assert!(!names_variable("$TOKEN ${token} ${}"));
    }

    #[test]
    fn refuses_what_is_no_requirement() {
        for text in ["<<<<<<< HEAD", "=======", "foo bar", "-x", "a[b", "é"] {
            assert!(
                Requirement::parse(1, text, false).is_err(),
                "{text} is accepted"
            );
        }
    }
}
