//! The Go files of one module. Lists the whole module: ask only when a rule needs it.

use std::collections::BTreeMap;

use super::file::{GoNeed, go_file};
use crate::context::{BuildContext, Entry};
use crate::project::{ManifestError, path, read};

/// The most entries of one module that are looked at.
const ENTRIES: usize = 50_000;

/// The most directories below each other.
const DEPTH: usize = 40;

/// Operating systems that Go knows, other than Linux: files for them are never built into a Linux image.
const FOREIGN: [&str; 15] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "illumos",
    "ios",
    "js",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];

/// What the Go files of a module tell, tests and files for other systems aside. Paths are relative to the context.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoSources {
    /// Directories that hold a `package main`, sorted.
    pub main_packages: Vec<String>,
    /// Files of the module that import "C".
    pub cgo: Vec<String>,
    /// Files below `vendor` that import "C".
    pub vendored_cgo: Vec<String>,
    /// Whether there is a `vendor/modules.txt`: the module builds from what it vendors.
    pub vendored: bool,
    /// What the program may need of an image, and the first file that says so, a vendored one too.
    pub needs: BTreeMap<GoNeed, String>,
    /// Directory and pattern of each `//go:embed`.
    pub embeds: Vec<(String, String)>,
}

/// What the Go files of the module at `directory` tell. Modules below it, `testdata` and directories that Go ignores are
/// left out.
///
/// # Errors
/// A file cannot be read, or there are more entries or levels than dockeropt looks at.
pub fn go_sources(context: &dyn BuildContext, directory: &str) -> Result<GoSources, ManifestError> {
    let vendor = join(directory, "vendor");
    let mut scan = Scan {
        context,
        vendor: format!("{vendor}/"),
        budget: ENTRIES,
        sources: GoSources::default(),
    };
    scan.sources.vendored = read::is_file(context, &join(&vendor, "modules.txt"));
    scan.directory(directory, 0)?;
    scan.sources.main_packages.sort();
    Ok(scan.sources)
}

struct Scan<'c> {
    context: &'c dyn BuildContext,
    /// The module's `vendor/`.
    vendor: String,
    budget: usize,
    sources: GoSources,
}

impl Scan<'_> {
    fn directory(&mut self, directory: &str, depth: usize) -> Result<(), ManifestError> {
        let large = || ManifestError::new(directory, None, "is too large a tree of Go files");
        if depth > DEPTH {
            return Err(large());
        }
        for name in self.context.list(directory) {
            self.budget = self.budget.checked_sub(1).ok_or_else(large)?;
            if name.starts_with(['.', '_']) || matches!(name.as_str(), "testdata" | "node_modules")
            {
                continue;
            }
            let path = join(directory, &name);
            match self.context.entry(&path) {
                Some(Entry::File(_)) if is_source(&name) => self.file(directory, &path)?,
                Some(Entry::Directory) if !self.is_module(&path) => {
                    self.directory(&path, depth + 1)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a directory below the root is a module of its own.
    fn is_module(&self, directory: &str) -> bool {
        read::is_file(self.context, &join(directory, "go.mod"))
    }

    fn file(&mut self, directory: &str, path: &str) -> Result<(), ManifestError> {
        let bytes = read::file(self.context, path)?.unwrap_or_default();
        let file = go_file(&bytes);
        let constraint = file.constraint.as_deref().unwrap_or_default();
        if constraint == "ignore" || FOREIGN.contains(&constraint) {
            return Ok(());
        }
        for need in &file.needs {
            let needs = &mut self.sources.needs;
            needs.entry(*need).or_insert_with(|| path.to_owned());
        }
        if path.starts_with(&self.vendor) {
            if file.imports_c {
                self.sources.vendored_cgo.push(path.to_owned());
            }
            return Ok(());
        }
        if file.imports_c {
            self.sources.cgo.push(path.to_owned());
        }
        let embeds = file
            .embeds
            .into_iter()
            .map(|pattern| (directory.to_owned(), pattern));
        self.sources.embeds.extend(embeds);
        let mains = &mut self.sources.main_packages;
        if file.package.as_deref() == Some("main")
            && mains.last().is_none_or(|last| last != directory)
        {
            mains.push(directory.to_owned());
        }
        Ok(())
    }
}

/// A Go file that is no test and not for another system by its name (`x_windows.go`, `x_windows_amd64.go`).
fn is_source(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".go") else {
        return false;
    };
    let mut parts = stem.rsplit('_');
    let (last, before) = (parts.next(), parts.next());
    let has_system = before.is_some();
    let foreign = |part: Option<&str>| part.is_some_and(|part| FOREIGN.contains(&part));
    let in_the_middle = parts.next().is_some() && foreign(before);
    last != Some("test") && !(has_system && foreign(last)) && !in_the_middle
}

fn join(directory: &str, name: &str) -> String {
    path::join(directory, name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::files;

    #[test]
    fn finds_programs_cgo_and_embeds() {
        let context = files(&[
            ("svc/go.mod", "module a"),
            ("svc/lib.go", "package a\n"),
            ("svc/lib_test.go", "package main\nimport \"C\"\n"),
            ("svc/gen.go", "//go:build ignore\n\npackage main\n"),
            (
                "svc/cmd/web/main.go",
                "package main\n\n//go:embed ui/*\nvar ui embed.FS\n",
            ),
            ("svc/cmd/web/flags.go", "package main\n"),
            ("svc/cmd/cli/main.go", "package main\n"),
            (
                "svc/cmd/win/main_windows.go",
                "package main\nimport \"C\"\n",
            ),
            ("svc/cmd/win/main_darwin_arm64.go", "package main\n"),
            (
                "svc/db/db.go",
                "package db\n\n// #include <x.h>\nimport \"C\"\n",
            ),
            ("svc/tools/go.mod", "module tools"),
            ("svc/tools/main.go", "package main\n"),
            ("svc/testdata/main.go", "package main\n"),
            ("svc/_old/main.go", "package main\n"),
            ("svc/vendor/modules.txt", ""),
            ("svc/vendor/x/x.go", "package x\nimport \"C\"\n"),
            ("svc/vendor/y/main.go", "package main\n"),
            ("other/main.go", "package main\n"),
        ]);
        let sources = go_sources(&context, "svc").unwrap();
        assert_eq!(sources.main_packages, ["svc/cmd/cli", "svc/cmd/web"]);
        assert_eq!(sources.cgo, ["svc/db/db.go"]);
        assert_eq!(sources.vendored_cgo, ["svc/vendor/x/x.go"]);
        assert!(sources.vendored);
        assert_eq!(
            sources.embeds,
            [("svc/cmd/web".to_owned(), "ui/*".to_owned())]
        );
    }

    #[test]
    fn finds_the_program_at_the_top() {
        let context = files(&[("main.go", "package main\n"), ("sub/a.go", "package a\n")]);
        let sources = go_sources(&context, "").unwrap();
        assert_eq!(sources.main_packages, [""]);
        assert!(!sources.vendored);
    }

    #[test]
    fn gives_up_on_trees_without_end() {
        let deep = format!("{}main.go", "d/".repeat(DEPTH + 2));
        let context = files(&[(&deep, "package main\n")]);
        assert!(go_sources(&context, "").is_err());
    }

    #[test]
    fn a_file_named_for_a_system_alone_is_for_all() {
        assert!(is_source("windows.go") && is_source("a_b.go") && !is_source("windows_test.go"));
        assert!(
            !is_source("a_windows.go") && !is_source("a_b_ios_arm64.go") && !is_source("a.txt")
        );
    }
}
