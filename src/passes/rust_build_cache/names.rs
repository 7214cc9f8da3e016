//! Which programs of a build are named, by shell words, by instructions and by stages that copy from its stage; and what
//! else of its directory is.

use std::collections::BTreeSet;

use super::build::Build;
use super::needs::{Needs, parts, text_of};
use crate::context::path::{self, clean};
use crate::model::mount::Mount;
use crate::pass::cache_folder::CacheMount;
use crate::pass::cache_paths::{Assigned, Lies, lies, path_of};
use crate::pass::runs::Step;
use crate::pass::sites::Site;
use crate::syntax::shell::{CommandAt, Word};
use crate::syntax::{Instruction, Keyword};

/// What is looked for, and what was found.
pub(super) struct Search<'a> {
    build: &'a Build,
    folders: &'a [CacheMount],
    pub(super) programs: BTreeSet<String>,
}

/// A command of a step, and where it runs.
pub(super) struct Look<'a> {
    pub(super) at: &'a CommandAt<'a>,
    pub(super) step: &'a Step<'a>,
    pub(super) assigned: &'a Assigned,
    pub(super) directory: Option<&'a str>,
    /// Whether it runs behind the build.
    pub(super) behind: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(build: &'a Build, folders: &'a [CacheMount]) -> Self {
        Self {
            build,
            folders,
            programs: BTreeSet::new(),
        }
    }

    /// Whether `path` is one of the programs, which is then needed.
    fn is_program(&mut self, path: &str) -> bool {
        let Some(output) = &self.build.output else {
            return false;
        };
        let directory = format!("{}/{}", self.build.directory, output.profile);
        let name = path::below(path, &directory).filter(|name| self.build.programs.contains(*name));
        self.programs.extend(name.map(str::to_owned));
        name.is_some()
    }

    /// A word of a command: whether it is a program of the build.
    pub(super) fn word(
        &mut self,
        look: &Look<'_>,
        word: &Word,
        bulk: bool,
        deletes: bool,
    ) -> Result<bool, String> {
        let value = word.text.rsplit('=').next().unwrap_or_default();
        let named = has_target(value);
        let path = path_of(word, look.assigned, look.step.before, look.directory);
        let Some(path) = path.map(|path| clean(&path)) else {
            return match named {
                true => Err(format!("what `{}` names is not known", word.text)),
                false => Ok(false),
            };
        };
        if self.is_program(&path) {
            return Ok(true);
        }
        let inner = look.at.command.words.first() == Some(word);
        match lies(&path, &self.build.directory) {
            _ if deletes && (!named || removes_all(look.at)) => Ok(false),
            Lies::Around if bulk && !inner => {
                Err(format!("`{}` takes the build directory with it", word.text))
            }
            _ if named && word.literal.is_none() => {
                Err(format!("what `{}` names is not known", word.text))
            }
            _ if named => Err(format!("`{}` is no program of the build", word.text)),
            _ => Ok(false),
        }
    }

    /// The text of an instruction that is no shell script, or is not read.
    pub(super) fn text(
        &mut self,
        text: &str,
        workdir: Option<&str>,
        instruction: &Instruction,
    ) -> Result<(), String> {
        for word in parts(text).filter(|word| has_target(word)) {
            let path = match (word.starts_with('/'), workdir) {
                (true, _) => clean(word),
                (false, Some(workdir)) => clean(&format!("{workdir}/{word}")),
                (false, None) => word.to_owned(),
            };
            if !self.is_program(&path) {
                return Err(format!("{} names `{word}`", instruction.keyword));
            }
        }
        Ok(())
    }

    /// COPY and ADD in a stage of the family.
    pub(super) fn copied(&mut self, needs: &Needs<'_>, site: &Site<'_>) -> Result<(), String> {
        let instruction = site.step.instruction;
        let Some((to, sources)) = instruction.words().split_last() else {
            return Ok(());
        };
        let escape = needs.escape();
        let expand = |text: &str| site.step.before.expand(text, escape).ok();
        let to = expand(&to.text).and_then(|to| site.step.before.absolute(&to));
        let to = to.ok_or("what a COPY puts where is not known")?;
        let from_family = needs.takes_from_family(site);
        let is_staged = !site.step.sources().is_empty();
        let covered = std::iter::once(&self.build.directory)
            .chain(self.folders.iter().map(|folder| &folder.target));
        for folder in covered {
            let holds_it = is_staged;
            if path::is_at_or_below(&to, folder) || holds_it && path::parent(folder) == to {
                return Err(format!(
                    "{} puts files into `{folder}`",
                    instruction.keyword
                ));
            }
        }
        match from_family {
            true => self.taken(needs, site),
            false => match sources.iter().find(|word| has_target(&word.text)) {
                Some(word) => Err(format!("{} names `{}`", instruction.keyword, word.text)),
                None => Ok(()),
            },
        }
    }

    /// A step that takes files of the family, or stands in a stage that has some.
    pub(super) fn taken(&mut self, needs: &Needs<'_>, site: &Site<'_>) -> Result<(), String> {
        let instruction = site.step.instruction;
        let escape = needs.escape();
        let words = instruction.words();
        let copies = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
        let from_family = needs.takes_from_family(site);
        if copies && from_family {
            let Some((to, sources)) = words.split_last() else {
                return Ok(());
            };
            for word in sources {
                let path = site.step.before.expand(&word.text, escape).ok();
                self.source(path.as_deref(), &word.text)?;
            }
            return self.elsewhere(&to.text, instruction);
        }
        self.mounted(needs, site)?;
        self.elsewhere(&text_of(instruction), instruction)
    }

    /// A RUN that mounts files of the family.
    pub(super) fn mounted(&mut self, needs: &Needs<'_>, site: &Site<'_>) -> Result<(), String> {
        if !site.step.is_run() || !needs.takes_from_family(site) {
            return Ok(());
        }
        let expand = |word: &str| site.step.before.expand(word, b'\\');
        let flags = site.step.instruction.flags.iter();
        let flags = flags.filter(|flag| flag.name == "mount");
        for value in flags.filter_map(|flag| flag.value.as_deref()) {
            match Mount::parse(value, &expand) {
                Ok(mount) if mount.from.is_none() => {}
                Ok(mount) => self.source(Some(mount.source.as_deref().unwrap_or("/")), value)?,
                Err(_) => self.source(None, value)?,
            }
        }
        Ok(())
    }

    /// A path of the family's files that another stage takes.
    fn source(&mut self, path: Option<&str>, shown: &str) -> Result<(), String> {
        let Some(path) = path else {
            return Err(format!("what `{shown}` takes is not known"));
        };
        let path = clean(&format!("/{path}"));
        if self.is_program(&path) {
            return Ok(());
        }
        let mut folders = self.folders.iter().map(|folder| folder.target.as_str());
        let folder = folders.find(|folder| lies(&path, folder) != Lies::Apart);
        let hidden = match lies(&path, &self.build.directory) {
            Lies::Around => Some(self.build.directory.as_str()),
            Lies::Inside | Lies::Apart => folder,
        };
        let is_glob = path.contains(['*', '?', '[']);
        match hidden {
            Some(folder) => Err(format!("`{shown}` takes files of `{folder}`")),
            None if has_target(&path) && is_glob => {
                Err(format!("what `{shown}` takes is not known"))
            }
            None if has_target(&path) => Err(format!("`{shown}` is no program of the build")),
            None => Ok(()),
        }
    }

    /// A text in a stage that has files of the family, maybe at other paths.
    fn elsewhere(&self, text: &str, instruction: &Instruction) -> Result<(), String> {
        let output = self.build.output.as_ref();
        let is_program = |word: &str| {
            let Some(output) = output else { return false };
            let end = word.rsplit_once("target/").map_or("", |(_, end)| end);
            let name = path::below(end, &output.profile);
            name.is_some_and(|name| self.programs.contains(name))
        };
        let mut named = parts(text).filter(|word| has_target(word));
        match named.find(|word| !is_program(word)) {
            Some(word) => Err(format!("{} names `{word}`", instruction.keyword)),
            None => Ok(()),
        }
    }
}

/// Whether `rm` fails for nothing that is missing.
fn removes_all(at: &CommandAt<'_>) -> bool {
    let mut words = at.command.words.iter().map(|word| word.text.as_str());
    words.any(|word| {
        word == "--force" || word.starts_with('-') && !word.starts_with("--") && word.contains('f')
    })
}

/// Whether a path has the name of the build directory among its parts.
fn has_target(path: &str) -> bool {
    path.split('/').any(|part| part == "target")
}
