//! The project that a command of a RUN works on: its directory in the image, and the files of the build context that
//! were copied there. Runs nothing: what another command may have written there is a reason not to know.

use super::PassContext;
use super::runs::{Stage, Step};
use crate::context::copy::Copy;
use crate::context::ignore::Ignore;
use crate::context::{Entry, path};
use crate::model::managers::Invocation;
use crate::model::state::State;
use crate::syntax::Keyword;
use crate::syntax::shell::{CommandAt, Script};

/// A step of a file, and what is behind and before it.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The file and its context.
    pub cx: &'a PassContext<'a>,
    /// The stage's number.
    pub stage: usize,
    /// The step's number in the stage.
    pub step: usize,
}

/// The options of a package manager that name the directory to work in. `-d` is one of Composer's, and something else for
/// Go, pip and Pipenv.
fn directory_options(manager: &str) -> &'static [&'static str] {
    match manager {
        "npm" => &["--prefix", "-C"],
        "pnpm" => &["--prefix", "-C", "--dir"],
        "yarn" | "bun" => &["--cwd"],
        "poetry" => &["-C", "--directory"],
        "uv" => &["--directory"],
        "composer" => &["-d", "--working-dir"],
        "go" | "cargo" => &["-C"],
        _ => &[],
    }
}

impl<'a> Place<'a> {
    /// The stage.
    pub fn stage(&self) -> &'a Stage<'a> {
        &self.cx.stages[self.stage]
    }

    /// The step.
    pub fn step(&self) -> &'a Step<'a> {
        &self.stage().steps[self.step]
    }

    /// The directory in which a command of the step works; `None` where it is not known.
    pub fn directory(
        &self,
        script: &Script,
        found: &CommandAt<'_>,
        invocation: &Invocation,
    ) -> Option<String> {
        let mut directory = self.started_in(script, found);
        let named = directory_options(&invocation.manager.name);
        let options = invocation.flags.iter();
        for option in options.filter(|flag| named.contains(&flag.name.as_str())) {
            directory = Some(resolve(directory.as_deref(), option.text()?)?);
        }
        directory
    }

    /// The directory in which a command of the step is started; `None` where it is not known.
    pub fn started_in(&self, script: &Script, found: &CommandAt<'_>) -> Option<String> {
        let mut directory = self.step().before.workdir().map(str::to_owned);
        let moves =
            |at: &&CommandAt<'_>| matches!(at.command.name(), Some("cd" | "pushd" | "popd"));
        let commands = script.commands();
        let before = commands.iter().filter(|at| at.top <= found.top);
        for at in before.filter(moves) {
            let [name, to] = at.command.words.as_slice() else {
                return None;
            };
            let is_plain = at.inside.is_none() && name.literal.as_deref() == Some("cd");
            let to = to.literal.as_deref().filter(|_| is_plain)?;
            directory = Some(resolve(directory.as_deref(), to)?);
        }
        directory
    }

    /// The steps before this one, those of the stages that its stage is built on too, the nearest first.
    pub fn before(&self) -> Vec<Place<'a>> {
        let mut before = Vec::new();
        let (mut stage, mut end) = (self.stage, self.step);
        loop {
            before.extend((0..end).rev().map(|step| Place {
                stage,
                step,
                ..*self
            }));
            let Some(base) = self.cx.stages[stage].base else {
                return before;
            };
            (stage, end) = (base, self.cx.stages[base].steps.len());
        }
    }

    /// The file of the build context that stands at `target` of the image when this step runs; its path in the context.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn origin(&self, target: &str) -> Result<Option<String>, String> {
        let name = path::file_name(target);
        let writes =
            |step: &Step<'_>| step.is_run() && names_file(step.instruction.args_text(), name);
        let altered = |step: &Step<'_>| {
            let shown = self.cx.shown(step.instruction.args_span);
            Err(format!("`{}` may write `{name}`", first_words(&shown)))
        };
        if !self.cx.context.is_known() {
            return Err("the build context is not known".to_owned());
        }
        if writes(self.step()) {
            return altered(self.step());
        }
        let ignore = self.ignore()?;
        for place in self.before() {
            let step = place.step();
            if writes(step) {
                return altered(step);
            }
            if let Some(found) = place.brought(&ignore, target)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What the build leaves out of the context.
    fn ignore(&self) -> Result<Ignore, String> {
        let loaded = self.cx.site.ignore(self.cx.context);
        loaded
            .map(|found| found.ignore)
            .map_err(|error| error.to_string())
    }

    /// The file of the context that this COPY or ADD puts at `target`.
    fn brought(&self, ignore: &Ignore, target: &str) -> Result<Option<String>, String> {
        let (cx, step) = (self.cx, self.step());
        let instruction = step.instruction;
        if !matches!(instruction.keyword, Keyword::Copy | Keyword::Add) {
            return Ok(None);
        }
        let unknown = || {
            let name = path::file_name(target);
            let shown = first_words(&cx.shown(instruction.span));
            Err(format!("whether `{shown}` brings `{name}` is not known"))
        };
        let written = instruction.words().last().map(|word| word.text.as_str());
        let Some(to) = written.and_then(|text| expand(step.before, text)) else {
            return unknown();
        };
        let taken = cx.model.taken(&self.stage().model.steps[self.step]);
        let copy = Copy::new(
            &taken.sources,
            &to,
            step.before.workdir(),
            cx.context,
            ignore,
        );
        let place = copy.destination().place().map(ToString::to_string);
        let Some(place) = place.filter(|place| place.starts_with('/')) else {
            return unknown();
        };
        let Some(rest) = path::below(target, place.trim_end_matches('/')) else {
            return Ok(None);
        };
        if instruction.flag("from").is_some() || !taken.exact {
            return unknown();
        }
        let rest = rest.trim_start_matches('/');
        for source in &taken.sources {
            let source = path::clean_in_root(source);
            let beside = path::join(path::parent(&source), path::file_name(target));
            for candidate in [path::join(&source, rest), source, beside] {
                let Some(landings) = copy.brings(&candidate) else {
                    return unknown();
                };
                let lands = landings.iter().any(|landing| lands_at(landing, target));
                if lands && cx.context.entry(&candidate).is_some() {
                    return Ok(Some(candidate));
                }
            }
        }
        Ok(None)
    }

    /// The directory of the context whose file `name` stands in `directory` of the image.
    ///
    /// # Errors
    /// Why that is not known: the file is not copied, or has another name in the context.
    pub fn project(&self, directory: &str, name: &str) -> Result<String, String> {
        let found = self.origin(&path::join(directory, name))?;
        match found {
            Some(file) if path::file_name(&file) == name => Ok(path::parent(&file).to_owned()),
            Some(file) => Err(format!("`{name}` is `{file}` of the build context")),
            None => Err(format!("`{name}` is not copied before the install")),
        }
    }

    /// The path in the context of the file that stands at `target` of the image, where it was copied from there. Steps
    /// that name it are not asked whether they write it.
    pub fn source(&self, target: &str) -> Option<String> {
        let ignore = self.ignore().ok()?;
        let mut before = self.before().into_iter();
        before.find_map(|place| place.brought(&ignore, target).ok()?)
    }

    /// The text of that file.
    pub fn text(&self, target: &str) -> Option<String> {
        const LIMIT: usize = 1 << 20;
        let file = self.source(target)?;
        let is_file = matches!(self.cx.context.entry(&file), Some(Entry::File(_)));
        let bytes = self
            .cx
            .context
            .read(&file, LIMIT)
            .ok()
            .filter(|_| is_file)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn expand(state: &State, text: &str) -> Option<String> {
    state.expand(text, b'\\').ok()
}

/// The directory that `to` is in `directory`; none where the shell or the program would read it in another way.
fn resolve(directory: Option<&str>, to: &str) -> Option<String> {
    let is_plain = to.starts_with(['/', '.']) || to.starts_with(char::is_alphanumeric);
    path::against(directory, to).filter(|_| is_plain)
}

fn lands_at(landing: &crate::context::copy::Landing, target: &str) -> bool {
    use crate::context::copy::Landing;
    match landing {
        Landing::At(place) => place.to_string() == target,
        Landing::FileOrInside { file, inside } => [file, inside]
            .iter()
            .any(|place| place.to_string() == target),
        Landing::Unknown => false,
    }
}

/// Whether a shell text names the file `name`, alone or at the end of a path.
fn names_file(text: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(text);
    let is_end = |ch: char| ch.is_whitespace() || "'\";|&()<>=".contains(ch);
    text.split(is_end)
        .any(|word| path::file_name(word.trim_end_matches('*')) == name)
}

/// The first words of a command or an instruction, for a message.
pub fn first_words(text: &str) -> String {
    const ENOUGH: usize = 48;
    let mut shown = String::new();
    let mut words = text.split_whitespace().filter(|word| *word != "\\");
    for word in words.by_ref() {
        if !shown.is_empty() && shown.len() + word.len() > ENOUGH {
            return shown + " …";
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    shown
}
