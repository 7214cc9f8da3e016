//! Which names are those of Dockerfiles.

use std::ffi::OsStr;

/// Endings of what is made into a Dockerfile, made from one, or about one.
const NOT_DOCKERFILES: &[&str] = &[
    // templates
    "ejs",
    "em",
    "erb",
    "gotmpl",
    "hbs",
    "in",
    "j2",
    "jinja",
    "jinja2",
    "m4",
    "mako",
    "mustache",
    "njk",
    "template",
    "tmpl",
    "tmplt",
    "tpl",
    "twig", // beside a Dockerfile
    "dockerignore",
    "lock",
    "md",
    "rst",
    "adoc",
    "html",
    "pdf",
    "png",
    "svg",
    // left by editors, patches and tests
    "bak",
    "diff",
    "expected",
    "golden",
    "log",
    "orig",
    "out",
    "patch",
    "rej",
    "snap",
    "swp",
    // data
    "csv",
    "ini",
    "json",
    "sarif",
    "toml",
    "tsv",
    "xml",
    "yaml",
    "yml",
    "gz",
    "tar",
    "zip",
];

/// Endings of source files, which are written `dockerfile.go`; a variant of a Dockerfile is written `Dockerfile.go`.
const SOURCES: &[&str] = &[
    "bash", "bat", "c", "class", "cpp", "cs", "css", "go", "h", "hs", "java", "js", "jsx", "kt",
    "lua", "nix", "php", "ps1", "py", "rb", "rs", "scala", "sh", "tf", "ts", "tsx", "vim",
];

/// Whether a file of that name is taken for a Dockerfile when a folder is walked: `Dockerfile`, `Containerfile`,
/// either with an ending (`Dockerfile.dev`) or as one (`dev.Dockerfile`), in any case; not templates, not
/// `.dockerignore`, and not what only mentions Dockerfiles.
pub fn is_dockerfile(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let lower = name.to_ascii_lowercase();
    let stem = |part: &str| part == "dockerfile" || part == "containerfile";
    if stem(&lower) {
        return true;
    }
    let (Some((first, _)), Some((_, last))) = (lower.split_once('.'), lower.rsplit_once('.'))
    else {
        return false;
    };
    if stem(last) {
        return true;
    }
    let is_source = SOURCES.contains(&last) && name.starts_with(char::is_lowercase);
    let is_backup = last.is_empty() || last.ends_with('~');
    stem(first) && !NOT_DOCKERFILES.contains(&last) && !is_source && !is_backup
}

/// Whether the ending of `name` says that it is a template of a Dockerfile, or something beside one.
pub fn has_other_ending(name: &OsStr) -> bool {
    let lower = name.to_string_lossy().to_ascii_lowercase();
    let ending = lower.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| NOT_DOCKERFILES.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::is_dockerfile;

    #[test]
    fn dockerfiles_are_known_by_name() {
        let names = [
            "Dockerfile",
            "dockerfile",
            "DOCKERFILE",
            "Containerfile",
            "Dockerfile.dev",
            "Dockerfile.v1.2",
            "dev.Dockerfile",
            "dev.dockerfile",
            "my.app.Dockerfile",
            "Dockerfile.go",
            "containerfile.dev",
            ".dockerfile",
            "Dockerfile.dev.dockerfile",
        ];
        for name in names {
            assert!(is_dockerfile(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn templates_and_neighbours_are_not() {
        let names = [
            "Dockerfile.j2",
            "Dockerfile.dev.J2",
            "Dockerfile.tmpl",
            "Dockerfile.template",
            "dev.Dockerfile.in",
            ".dockerignore",
            "Dockerfile.dockerignore",
            "dockerfile.go",
            "Dockerfile.md",
            "Dockerfile~",
            "Dockerfile.dev~",
            "Dockerfile.",
            "mydockerfile",
            "Dockerfile-dev",
            "dockerfile_test.go",
            "Makefile",
            "docker-compose.yml",
            "Dockerfile.dev.orig",
            "",
        ];
        for name in names {
            assert!(!is_dockerfile(name.as_ref()), "{name}");
        }
    }
}
