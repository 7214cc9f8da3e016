//! The second opinion on files that fixes write: an ignore file may grow by lines that keep out what is on a list of
//! this module's own, and nothing that a Dockerfile of the context names.
//!
//! The guard never sees the build context, so this check is made here. It shares the semantics of ignore files with the
//! passes, and none of their code. It looks at [`MAX_NAMES`] names of the context; more are not looked at.

use crate::context::copy::is_remote;
use crate::context::ignore::{self, Ignore, Verdict};
use crate::context::overlay::Overlay;
use crate::context::site::Site;
use crate::context::{BuildContext, Kind, glob, path};
use crate::model::{Model, ModelInput};
use crate::rule::{Effect, Rule};
use crate::syntax::Dockerfile;

/// How many names of the context are looked at.
const MAX_NAMES: usize = 200_000;

/// How much of a file is read, in bytes.
const MAX_FILE: usize = 4 << 20;

/// Names of what may be left out of a build.
const NAMES: [&str; 63] = [
    ".git",
    ".svn",
    ".hg",
    ".bzr",
    "CVS",
    ".idea",
    ".vscode",
    ".vs",
    ".fleet",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "node_modules",
    "bower_components",
    "__pycache__",
    "target",
    "dist",
    "build",
    "out",
    "bin",
    "obj",
    ".next",
    ".nuxt",
    ".output",
    ".svelte-kit",
    ".angular",
    ".turbo",
    ".parcel-cache",
    ".gradle",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".nox",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".nyc_output",
    "coverage",
    "htmlcov",
    ".coverage",
    "coverage.xml",
    "lcov.info",
    ".eslintcache",
    ".stylelintcache",
    ".sass-cache",
    ".env",
    ".direnv",
    ".envrc",
    ".terraform",
    ".vagrant",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".ssh",
    ".aws",
    ".cache",
    ".phpunit.result.cache",
    ".phpunit.cache",
    ".bundle",
    ".serverless",
    "docker-bake.hcl",
    ".devcontainer",
];

/// How names begin, or end, of what may be left out.
const STARTS: [&str; 7] = [
    ".env.",
    "docker-compose",
    "compose.",
    "Dockerfile",
    "Containerfile",
    "docker-bake.",
    ".coverage.",
];
const ENDS: [&str; 10] = [
    ".log",
    ".pyc",
    ".pyo",
    ".swp",
    ".swo",
    "~",
    ".pem",
    ".key",
    "ockerfile",
    "ontainerfile",
];

/// A file that a fix writes.
pub(super) struct Written<'a> {
    pub(super) path: &'a str,
    pub(super) after: &'a [u8],
}

/// Whether a fix of `rule` may write a file.
///
/// # Errors
/// The first thing about it that the rule does not declare, or that takes away what a build needs.
pub(super) fn check(
    written: &Written<'_>,
    context: &Overlay<'_>,
    site: &Site,
    model: &Model<'_>,
    rule: &Rule,
) -> Result<(), String> {
    let declares = |name: &str| rule.effects.contains(&Effect::File(name.to_owned()));
    let shown = written.path;
    let holds = site.ignore(context).map_err(|error| error.to_string())?;
    if holds.path.as_deref() != Some(shown) || !declares(".dockerignore") {
        return Err(format!("`{shown}` is not declared"));
    }
    let before = match context.entry(shown) {
        Some(_) => context.read(shown, MAX_FILE),
        None => Ok(Vec::new()),
    };
    let before = before.map_err(|error| error.to_string())?;
    let added = added(&before, written.after)?;
    if added.iter().any(|line| line.starts_with(b"!")) {
        return Err("it lets something back in".to_owned());
    }
    let after = Ignore::parse(written.after).map_err(|error| error.to_string())?;
    let walk = Walk {
        context,
        ignores: [&holds.ignore, &after],
        left: MAX_NAMES,
        lost: Vec::new(),
        dockerfiles: Vec::new(),
    };
    let (lost, dockerfiles) = walk.all()?;
    if let Some(path) = lost.iter().find(|path| !is_listed(path::file_name(path))) {
        return Err(format!("`{path}` is nothing that may be left out"));
    }
    if let Some(path) = named(model, &lost) {
        return Err(format!("`{path}` is copied by name"));
    }
    if shown != ignore::FILE_NAME {
        // It holds for no other Dockerfile.
        return Ok(());
    }
    let others = site.others.iter().map(|other| other.text.clone());
    let beside = dockerfiles
        .iter()
        .filter(|path| !Site::has_own(context, path));
    let beside = beside.filter_map(|path| context.read(path, MAX_FILE).ok());
    for text in others.chain(beside) {
        let (file, input) = (Dockerfile::parse(&text), ModelInput::default());
        if let Some(path) = named(&Model::of(&file, &text, &input), &lost) {
            return Err(format!("`{path}` is copied by name in another Dockerfile"));
        }
    }
    Ok(())
}

/// The lines that `after` has more than `before`, which it begins with.
fn added<'a>(before: &[u8], after: &'a [u8]) -> Result<Vec<&'a [u8]>, String> {
    let rest = after.strip_prefix(before);
    let rest = rest.ok_or("a line that was there is changed")?;
    let starts_a_line = before.is_empty() || before.ends_with(b"\n") || rest.is_empty();
    let breaks = rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
    if !starts_a_line && !breaks {
        return Err("the last line that was there is changed".to_owned());
    }
    let lines = rest.split(|byte| *byte == b'\n');
    Ok(lines.map(<[u8]>::trim_ascii).collect())
}

/// Compares what two ignore files say of a context, from the root inwards.
struct Walk<'a> {
    context: &'a dyn BuildContext,
    /// Before and after.
    ignores: [&'a Ignore; 2],
    /// How many more names are looked at.
    left: usize,
    /// What only the second one ignores, the outermost paths.
    lost: Vec<String>,
    dockerfiles: Vec<String>,
}

impl Walk<'_> {
    /// What is lost, and the Dockerfiles that are there.
    fn all(mut self) -> Result<(Vec<String>, Vec<String>), String> {
        let roots = self.ignores.map(Ignore::root);
        self.directory("", &roots)?;
        Ok((self.lost, self.dockerfiles))
    }

    fn directory(&mut self, directory: &str, verdicts: &[Verdict; 2]) -> Result<(), String> {
        for (name, kind) in self.context.children(directory) {
            let Some(left) = self.left.checked_sub(1) else {
                return Ok(());
            };
            self.left = left;
            let path = path::join(directory, &name);
            if kind == Kind::File && name.to_ascii_lowercase().contains("dockerfile") {
                self.dockerfiles.push(path.clone());
            }
            let [old, new] = [0, 1].map(|at| self.ignores[at].enter(&verdicts[at], &path));
            match (old.ignored, new.ignored) {
                (true, false) => return Err(format!("`{path}` is let back in")),
                (false, true) => self.lost.push(path),
                (true, true) if !self.ignores[0].may_except_below(&path) => {}
                _ if kind == Kind::Directory => self.directory(&path, &[old, new])?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn is_listed(name: &str) -> bool {
    let is_harmless = ["example", "sample", "template", "dist"];
    let is_kept = name.starts_with(".env.") && is_harmless.iter().any(|end| name.ends_with(end));
    let listed = NAMES.contains(&name)
        || STARTS.iter().any(|start| name.starts_with(start))
        || ENDS.iter().any(|end| name.ends_with(end))
        || name.to_ascii_lowercase().contains("venv")
        || name == "env";
    listed && !is_kept
}

/// The first of the `lost` paths that a step takes by its name, or of which it takes a part.
fn named<'a>(model: &Model<'_>, lost: &'a [String]) -> Option<&'a String> {
    let stages = model.stages.iter();
    let steps = stages.flat_map(|stage| stage.triggers.iter().chain(&stage.steps));
    let sources: Vec<String> = steps
        .flat_map(|step| model.taken(step).sources)
        .filter(|source| !is_remote(source))
        .map(|source| path::clean_in_root(&source))
        .collect();
    lost.iter().find(|lost| {
        sources.iter().any(|source| {
            let is_pattern = glob::has_wildcard(source) && path::file_name(source) != "*";
            let matched = is_pattern && glob::matches(source, lost) == Ok(true);
            matched || path::below(source, lost).is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::MemoryContext;
    use crate::rule;

    /// What is said about an ignore file that becomes `after`, for a Dockerfile over these files.
    fn checked(dockerfile: &str, files: &[(&str, &str)], after: &str) -> Result<(), String> {
        let memory: MemoryContext = files.iter().copied().collect();
        let context = Overlay::new(&memory);
        let (file, input) = (
            Dockerfile::parse(dockerfile.as_bytes()),
            ModelInput::default(),
        );
        let model = Model::of(&file, dockerfile.as_bytes(), &input);
        let rules = rule::builtin().iter();
        let rule = rules.clone().find(|rule| rule.id == "dockerignore");
        let written = Written {
            path: ".dockerignore",
            after: after.as_bytes(),
        };
        let rule = rule.ok_or("there is no rule")?;
        check(&written, &context, &Site::at("Dockerfile"), &model, rule)
    }

    const FILES: &[(&str, &str)] = &[
        (".git/HEAD", ""),
        ("src/a.py", ""),
        ("dist/app.js", ""),
        (".dockerignore", "*.md\n!README.md"),
        ("README.md", ""),
    ];

    #[test]
    fn lines_that_keep_out_what_is_listed_may_be_added() {
        let all = "FROM a\nCOPY . .\n";
        checked(all, FILES, "*.md\n!README.md\n.git\n").unwrap();
        checked(all, FILES, "*.md\n!README.md\r\n.git\r\n").unwrap();
        for after in [
            ".git\n",
            "*.md\n!README.md.git\n",
            "*.md\n!README.md\nsrc\n",
            "*.md\n!README.md\n**\n",
            "*.md\n!README.md\nREADME.md\n",
            "*.md\n!README.md\n.git\n!.git\n",
        ] {
            checked(all, FILES, after).unwrap_err();
        }
    }

    #[test]
    fn what_is_copied_by_name_stays() {
        let after = "*.md\n!README.md\ndist\n";
        checked("FROM a\nCOPY . .\n", FILES, after).unwrap();
        for text in [
            "FROM a\nCOPY . .\nCOPY dist/app.js /\n",
            "FROM a\nCOPY . .\nCOPY ./dist /\n",
            "FROM a\nCOPY . .\nCOPY d*t /\n",
            "FROM a\nCOPY . .\nRUN --mount=type=bind,source=dist,target=/x y\n",
        ] {
            checked(text, FILES, after).unwrap_err();
        }
        let more = [FILES, &[("web.Dockerfile", "FROM a\nCOPY dist /\n")]].concat();
        checked("FROM a\nCOPY . .\n", &more, after).unwrap_err();
    }
}
