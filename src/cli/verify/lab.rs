//! Where images are built and looked at: what is made here goes when it is dropped.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::How;
use super::answer;
use crate::cli::progress::Progress;
use crate::engine::{Built, Engine, EngineError, Wanted, own_name};
use crate::image::{self, Analysis, Image};
use crate::verify::{Side, Tree};

/// An engine, and the images that were built with it.
pub(in crate::cli) struct Lab<'a> {
    pub(in crate::cli) engine: &'a dyn Engine,
    pub(in crate::cli) how: &'a How,
    progress: &'a Progress,
    /// The names of the images that are there.
    made: RefCell<Vec<String>>,
}

/// What is built.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Recipe<'a> {
    /// The Dockerfile.
    pub(in crate::cli) dockerfile: &'a [u8],
    /// The ignore file that counts.
    pub(in crate::cli) ignore: &'a [u8],
    /// The build context.
    pub(in crate::cli) context: &'a Path,
    /// What is said while it is built.
    pub(in crate::cli) title: &'a str,
    /// Whether it is asked which step made which layer.
    pub(in crate::cli) provenance: bool,
}

/// An image that was built.
pub(in crate::cli) struct Made {
    pub(in crate::cli) name: String,
    pub(in crate::cli) built: Built,
}

/// Files of which the text is kept while an image is read: which files belong to which Debian package.
fn is_package_list(path: &[u8]) -> bool {
    path.starts_with(b"var/lib/dpkg/info/") && path.ends_with(b".list")
}

impl<'a> Lab<'a> {
    pub(in crate::cli) fn new(
        engine: &'a dyn Engine,
        how: &'a How,
        progress: &'a Progress,
    ) -> Self {
        let made = RefCell::default();
        Self {
            engine,
            how,
            progress,
            made,
        }
    }

    /// Builds an image. The Dockerfile and its ignore file lie in a folder of their own, and the context stays as it is.
    pub(in crate::cli) fn build(
        &self,
        recipe: &Recipe<'_>,
        fresh: bool,
    ) -> Result<Result<Made, EngineError>> {
        let folder = TempDir::new().context("no temporary folder")?;
        let dockerfile = folder.path().join("Dockerfile");
        let text = match self.how.offline {
            true => without_syntax(recipe.dockerfile),
            false => recipe.dockerfile.to_vec(),
        };
        fs::write(&dockerfile, text)?;
        // BuildKit takes the ignore file that lies beside the Dockerfile under its name.
        let ignore = folder.path().join("Dockerfile.dockerignore");
        fs::write(&ignore, recipe.ignore)?;
        let name = own_name();
        let wanted = Wanted {
            image: &name,
            dockerfile: &dockerfile,
            ignore: Some(&ignore),
            context: recipe.context,
            target: self.how.target.as_deref(),
            build_args: &self.how.build_args,
            build_contexts: &self.how.build_contexts,
            network: self.how.network.as_deref(),
            fresh,
            provenance: recipe.provenance,
        };
        self.made.borrow_mut().push(name.clone());
        let task = self.progress.task(recipe.title);
        let built = self.engine.build(&wanted, &mut |line| task.line(line));
        drop(task);
        Ok(built.map(|built| Made { name, built }))
    }

    /// Reads an image.
    pub(in crate::cli) fn read(&self, made: &Made) -> Result<Image> {
        let _task = self.progress.task("reading the image");
        let archive = self.engine.save(&made.name)?;
        let choice = image::Choice::default();
        let read = image::read_archive_keeping(archive, &choice, &is_package_list);
        let mut image =
            read.with_context(|| format!("the image that {} built", self.engine.name()))?;
        // Its name is ours, and nobody knows it.
        image.name = None;
        Ok(image)
    }

    /// What an image holds, and what is compared of it.
    pub(in crate::cli) fn examined(&self, made: &Made) -> Result<(Analysis, Side)> {
        let image = self.read(made)?;
        let side = Side {
            tree: Tree::of(&image),
            config: self.engine.config(&made.name)?,
            answer: answer::ask(self.engine, &made.name, self.how)?,
        };
        Ok((image.analyze(), side))
    }

    /// Keeps an image beyond the end, where that is wanted; its name then.
    pub(in crate::cli) fn keep(&self, made: &Made) -> Option<String> {
        self.how.keep.then(|| {
            self.made.borrow_mut().retain(|name| *name != made.name);
            made.name.clone()
        })
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        for name in self.made.get_mut().drain(..) {
            self.engine.remove(&name);
        }
    }
}

/// The image that a `# syntax=` line names, which the engine pulls to read the file.
pub(super) fn syntax(dockerfile: &[u8]) -> Option<String> {
    let file = crate::syntax::Dockerfile::parse(dockerfile);
    let mut directives = file.directives();
    let syntax = directives.find(|one| one.name.eq_ignore_ascii_case("syntax"));
    syntax.map(|one| one.value.clone())
}

/// The text without its `# syntax=` line: the directives behind it stay directives.
fn without_syntax(dockerfile: &[u8]) -> Vec<u8> {
    let file = crate::syntax::Dockerfile::parse(dockerfile);
    let mut directives = file.directives();
    let Some(syntax) = directives.find(|one| one.name.eq_ignore_ascii_case("syntax")) else {
        return dockerfile.to_vec();
    };
    let (start, end) = (syntax.span.start as usize, syntax.span.end as usize);
    let mut text = dockerfile[..start].to_vec();
    let rest = &dockerfile[end..];
    text.extend_from_slice(
        rest.strip_prefix(b"\r\n")
            .or(rest.strip_prefix(b"\n"))
            .unwrap_or(rest),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syntax_line_goes_and_other_directives_stay() {
        let text = b"# syntax=docker/dockerfile:1\n# escape=`\nFROM a\n";
        assert_eq!(syntax(text).as_deref(), Some("docker/dockerfile:1"));
        assert_eq!(without_syntax(text), b"# escape=`\nFROM a\n");
        assert_eq!(without_syntax(b"FROM a\n"), b"FROM a\n");
    }
}
