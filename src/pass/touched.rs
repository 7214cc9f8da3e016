//! Which steps take files of the build context that changed: the model's cache chain over a context and its ignore file.

use crate::context::BuildContext;
use crate::context::copy::Copy;
use crate::context::ignore::Ignore;
use crate::context::{glob, path};
use crate::model::cache::{ChangedFiles, Taken, Touch};
use crate::model::managers;
use crate::model::{Model, Step};

/// A build context of which some files changed.
pub struct Touched<'a> {
    context: &'a dyn BuildContext,
    ignore: &'a Ignore,
    /// Paths in the context.
    files: Vec<String>,
}

impl<'a> Touched<'a> {
    /// The files at `files` changed, came or went; paths in the context.
    #[must_use]
    pub fn new(context: &'a dyn BuildContext, ignore: &'a Ignore, files: Vec<String>) -> Self {
        Self {
            context,
            ignore,
            files,
        }
    }
}

impl ChangedFiles for Touched<'_> {
    fn touch(&self, taken: &Taken, step: &Step<'_>) -> Touch {
        let copy = copy(taken, step, self.context, self.ignore);
        let brings = |file: &&String| copy.brings(file).is_none_or(|found| !found.is_empty());
        if !taken.exact && taken.sources.is_empty() {
            return self
                .files
                .first()
                .map_or(Touch::No, |file| Touch::Perhaps(file.clone()));
        }
        match self.files.iter().find(brings) {
            Some(file) if taken.exact && self.context.is_known() => Touch::Yes(file.clone()),
            Some(file) => Touch::Perhaps(file.clone()),
            None => Touch::No,
        }
    }
}

/// Files whose edits tell how well a Dockerfile uses the cache: the first manifest or lock file of a package manager
/// that a step takes, and the first other file. A step that takes a directory tells more than one that takes a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typical {
    /// A manifest, path in the context.
    pub manifest: Option<String>,
    /// A source file, path in the context.
    pub source: Option<String>,
}

/// As many files are looked at of one step.
const MOST_FILES: usize = 10_000;

/// The typical files of a build. Lists what the steps take.
pub fn typical(model: &Model<'_>, context: &dyn BuildContext, ignore: &Ignore) -> Typical {
    let Typicals { manifest, sources } = typicals(model, context, ignore);
    let source = sources.into_iter().next();
    Typical { manifest, source }
}

/// [`Typical`] with a source of each step that takes some.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typicals {
    /// A manifest, path in the context.
    pub manifest: Option<String>,
    /// Source files, that of the step with most of them first; paths in the context.
    pub sources: Vec<String>,
}

/// The typical files of a build, with a source of each step. Lists what the steps take.
pub fn typicals(model: &Model<'_>, context: &dyn BuildContext, ignore: &Ignore) -> Typicals {
    let mut manifest = None;
    let mut found: Vec<(usize, String)> = Vec::new();
    for (_, step) in model.steps().filter(|(stage, _)| stage.used) {
        let files = taken_files(model, step, context, ignore).into_iter();
        let (manifests, sources): (Vec<_>, Vec<_>) = files.partition(|file| is_manifest(file));
        manifest = manifest.or_else(|| manifests.into_iter().next());
        let count = sources.len();
        let first = sources.iter().position(|file| !is_about(file));
        let source = sources.into_iter().nth(first.unwrap_or(0));
        found.extend(source.map(|source| (count, source)));
    }
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let mut sources: Vec<String> = Vec::new();
    for (_, source) in found {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    Typicals { manifest, sources }
}

/// The files of the context that a step takes, at most 10,000; paths in the context. A RUN takes what it mounts.
pub fn taken_files(
    model: &Model<'_>,
    step: &Step<'_>,
    context: &dyn BuildContext,
    ignore: &Ignore,
) -> Vec<String> {
    let copy = copy(&model.taken(step), step, context, ignore);
    let files = copy.files().take(MOST_FILES);
    files.map(|(file, _)| file).collect()
}

fn copy<'a>(
    taken: &Taken,
    step: &Step<'_>,
    context: &'a dyn BuildContext,
    ignore: &'a Ignore,
) -> Copy<'a> {
    // Where files land does not matter here.
    Copy::new(&taken.sources, "/", step.before.workdir(), context, ignore)
}

/// Whether a file is named like those about a project: at the top `README.md`, `LICENSE`, `Makefile`, and all that is
/// hidden, `.gitignore` and `.git/HEAD`.
fn is_about(file: &str) -> bool {
    let at_top = !file.contains('/');
    file.starts_with('.') || (at_top && file.starts_with(|ch: char| ch.is_ascii_uppercase()))
}

fn is_manifest(file: &str) -> bool {
    let name = path::file_name(file);
    let mut names = managers::all()
        .iter()
        .flat_map(|one| one.manifests.iter().chain(&one.locks));
    names.any(|pattern| glob::matches(pattern, name) == Ok(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::MemoryContext;
    use crate::model::ModelInput;
    use crate::model::cache::Rebuild;
    use crate::syntax::Dockerfile;

    fn with<T>(text: &str, look: impl FnOnce(&Model<'_>) -> T) -> T {
        let (file, input) = (Dockerfile::parse(text.as_bytes()), ModelInput::default());
        look(&Model::of(&file, text.as_bytes(), &input))
    }

    fn context() -> MemoryContext {
        let files = ["README.md", "package.json", "src/a.js", "src/b.js", "log/x"];
        files.map(|file| (file, "x")).into()
    }

    /// How many steps come from the cache, may run and run after a change of `file`; everything in `log` is ignored.
    fn after(text: &str, file: &str) -> (usize, usize, usize) {
        let (context, ignore) = (context(), Ignore::parse(b"log\n").expect("patterns"));
        let touched = Touched::new(&context, &ignore, vec![file.to_owned()]);
        let Rebuild {
            cached,
            may_run,
            run,
        } = with(text, |model| model.after_change(&touched).rebuild());
        (cached, may_run, run)
    }

    #[test]
    fn files_reach_steps() {
        let text = "FROM node\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n";
        assert_eq!(after(text, "src/a.js"), (3, 0, 2));
        assert_eq!(after(text, "package.json"), (1, 0, 4));
        assert_eq!(after(text, "log/x"), (5, 0, 0));
        assert_eq!(
            after("FROM a\nCOPY src/*.js /x/\nRUN y\n", "src/b.js"),
            (0, 0, 2)
        );
        let mounted = "FROM a\nRUN --mount=source=src,target=/s x\n";
        assert_eq!(after(mounted, "src/a.js"), (0, 0, 1));
        assert_eq!(after(mounted, "package.json"), (1, 0, 0));
    }

    #[test]
    fn what_is_not_known_may_reach() {
        assert_eq!(after("FROM a\nCOPY $X /\nRUN y\n", "src/a.js"), (0, 2, 0));
        assert_eq!(
            after("FROM a\nCOPY --exclude=*.js . /\n", "src/a.js"),
            (0, 1, 0)
        );
        assert_eq!(
            after("FROM a\nCOPY --exclude=*.js src /\n", "README.md"),
            (1, 0, 0)
        );
    }

    #[test]
    fn typical_files() {
        let text = "FROM a\nCOPY package.json /\nCOPY . /\n";
        let found = with(text, |model| typical(model, &context(), &Ignore::default()));
        let expected = Typical {
            manifest: Some("package.json".to_owned()),
            source: Some("log/x".to_owned()),
        };
        assert_eq!(found, expected);
        let none = with("FROM a\nRUN x\n", |model| {
            typical(model, &context(), &Ignore::default())
        });
        assert_eq!(none, Typical::default());
    }
}
