//! What a dependency of a `package.json` names.

/// A dependency's text, taken apart as npm-package-arg, yarn and pnpm do. Paths are relative to the `package.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec {
    /// A range, tag or alias of a registry, or an entry of a pnpm or yarn catalog: verbatim.
    Registry(String),
    /// `file:`, or a bare path: a directory or archive that is installed.
    File(String),
    /// `link:`: a directory that is linked.
    Link(String),
    /// `portal:` of yarn 2+: a directory that is linked with its dependencies.
    Portal(String),
    /// `workspace:`: a member of the same workspace; what comes after the colon.
    Workspace(String),
    /// `patch:` of yarn 2+: a package with patch files of the project applied; a path that starts with `~/` is relative
    /// to the root of the workspace.
    Patch(Vec<String>),
    /// `exec:` of yarn 2+: a script that makes the package.
    Exec(String),
    /// A repository or a download.
    Remote(String),
}

impl Spec {
    /// The spec that `text` is.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let own = |rest: &str| rest.to_owned();
        if let Some((scheme, rest)) = text.split_once(':') {
            match scheme {
                "file" => return Self::File(own(rest)),
                "link" => return Self::Link(own(rest)),
                "portal" => return Self::Portal(own(rest)),
                "workspace" => return Self::Workspace(own(rest)),
                "exec" => return Self::Exec(own(rest)),
                "patch" => return Self::Patch(patches(rest)),
                "npm" | "catalog" | "jsr" => return Self::Registry(own(text)),
                _ => {}
            }
        }
        if is_path(text) {
            return Self::File(own(text));
        }
        let is_repository = text.contains(':') || (text.contains('/') && !text.starts_with('@'));
        if is_repository {
            Self::Remote(own(text))
        } else {
            Self::Registry(own(text))
        }
    }

    /// The files and directories of the project that it names.
    pub fn local_paths(&self) -> &[String] {
        match self {
            Self::File(path) | Self::Link(path) | Self::Portal(path) | Self::Exec(path) => {
                std::slice::from_ref(path)
            }
            Self::Patch(paths) => paths,
            Self::Registry(_) | Self::Workspace(_) | Self::Remote(_) => &[],
        }
    }
}

/// A path without a scheme: it starts as one, or ends as an archive that no URL is.
fn is_path(text: &str) -> bool {
    let starts = ["./", "../", "/", "~/", ".\\", "..\\"];
    let ends = [".tgz", ".tar.gz", ".tar"];
    matches!(text, "." | "..")
        || starts.iter().any(|start| text.starts_with(start))
        || (!text.contains(':') && ends.iter().any(|end| text.ends_with(end)))
}

/// The patch files of `pkg@npm%3A1.0.0#path&path::version=…`; those that yarn brings (`builtin<…>`) are not files.
fn patches(rest: &str) -> Vec<String> {
    let Some((_, paths)) = rest.rsplit_once('#') else {
        return Vec::new();
    };
    let paths = paths.split("::").next().unwrap_or_default();
    let paths = paths
        .split('&')
        .map(|path| path.strip_prefix("optional!").unwrap_or(path));
    paths
        .filter(|path| !path.is_empty() && !path.starts_with("builtin<"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_specs_apart() {
        let own = |text: &str| text.to_owned();
        for text in [
            "^1.2.3",
            "latest",
            "*",
            "",
            "npm:other@^1",
            "catalog:",
            "1.x || >=2",
        ] {
            assert_eq!(Spec::parse(text), Spec::Registry(own(text)));
        }
        for text in [
            "user/repo",
            "github:user/repo#main",
            "git+ssh://git@github.com/a/b.git",
            "git@github.com:a/b.git",
            "https://example.com/a.tgz",
        ] {
            assert_eq!(Spec::parse(text), Spec::Remote(own(text)));
        }
        assert_eq!(Spec::parse("file:../lib"), Spec::File(own("../lib")));
        assert_eq!(Spec::parse("./lib"), Spec::File(own("./lib")));
        assert_eq!(
            Spec::parse("vendor/a-1.0.tgz"),
            Spec::File(own("vendor/a-1.0.tgz"))
        );
        assert_eq!(Spec::parse("link:./lib"), Spec::Link(own("./lib")));
        assert_eq!(Spec::parse("portal:../x"), Spec::Portal(own("../x")));
        assert_eq!(Spec::parse("workspace:^"), Spec::Workspace(own("^")));
    }

    #[test]
    fn names_the_patches() {
        let spec = Spec::parse(
            "patch:left-pad@npm%3A1.3.0#./a.patch&optional!~/.yarn/patches/b.patch::version=1",
        );
        assert_eq!(spec.local_paths(), ["./a.patch", "~/.yarn/patches/b.patch"]);
        let builtin = Spec::parse("patch:fsevents@^2#optional!builtin<compat/fsevents>");
        assert!(builtin.local_paths().is_empty());
    }
}
