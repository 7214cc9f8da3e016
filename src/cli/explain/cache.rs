//! `dockeropt explain --cache`: what makes each step of a Dockerfile run again, or which steps run after a change.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::super::Status;
use super::super::chains::Chains;
use super::super::contexts::Contexts;
use super::super::inputs;
use super::super::output::Output;
use crate::context::ignore::Ignore;
use crate::context::{BuildContext, NoContext};
use crate::model::cache::{Cause, Fate, Forecast, NoFiles, Place, Rebuild};
use crate::model::{Base, Model, Stage, Step};
use crate::pass::touched::{Touched, taken_files, typical};
use crate::render::{shortened, visible_line};
use crate::syntax::Dockerfile;
use crate::walk::disk::DiskContext;

/// Prints the steps of each file, with `touched` those that run when these files changed.
pub(super) fn run(
    files: &inputs::Files,
    touched: &[PathBuf],
    output: &mut Output,
) -> Result<Status> {
    let mut chains = Chains::new(&files.selection)?;
    let (inputs, errors) = files.dockerfiles(&mut chains)?;
    let mut contexts = Contexts::new(files.context.as_deref())?;
    let mut status = Status::Done;
    for error in errors {
        output.path_error(&error);
        status = Status::Error;
    }
    for input in &inputs {
        let source = input.read()?;
        let file = Dockerfile::parse(&source.text);
        if let Some(error) = file.errors.first() {
            let (path, line) = (input.path().display(), error.lines.0);
            bail!(
                "{path}:{line}: BuildKit refuses the file: {}",
                error.message
            );
        }
        let found = contexts.of(input).context(&source.text);
        let model = Model::of(&file, &source.text, &found.input);
        let ignore = match &found.disk {
            Some(disk) => found.site.ignore(disk)?.ignore,
            None => Ignore::default(),
        };
        let known = found.disk.as_ref().map(|disk| disk as &dyn BuildContext);
        let build = Build {
            model: &model,
            context: known.unwrap_or(&NoContext),
            ignore: &ignore,
        };
        let path = visible_line(&input.path().to_string_lossy());
        let mut told = format!("{path}: {}\n", visible_line(&found.how));
        match (touched, &found.disk) {
            ([], _) => told += &build.keys(),
            (_, Some(disk)) => told += &build.after(&in_context(touched, disk)?),
            (_, None) => bail!("`--touch` needs the build context: give it with `--context`"),
        }
        output.print(told.as_bytes());
    }
    Ok(status)
}

/// The paths in the context.
fn in_context(touched: &[PathBuf], context: &DiskContext) -> Result<Vec<String>> {
    let inside = |path: &PathBuf| {
        let shown = path.display();
        let real = path.canonicalize().with_context(|| format!("`{shown}`"))?;
        if real.is_dir() {
            bail!("`{shown}` is a directory: name a file");
        }
        let root = context.root();
        let inside = real.strip_prefix(root).ok().and_then(Path::to_str);
        let Some(inside) = inside else {
            bail!("`{shown}` is not in the build context `{}`", root.display());
        };
        Ok(inside.to_owned())
    };
    touched.iter().map(inside).collect()
}

/// What the steps of one build are told from.
struct Build<'a> {
    model: &'a Model<'a>,
    context: &'a dyn BuildContext,
    ignore: &'a Ignore,
}

impl Build<'_> {
    /// Each step with what makes it run, and what edits of typical files cost.
    fn keys(&self) -> String {
        let forecast = self.model.after_change(&NoFiles);
        let mut told = self.steps(&forecast, &|place, _| {
            let step = self.model.step_at(place);
            step.map_or_else(String::new, |step| self.key(step))
        });
        let typical = typical(self.model, self.context, self.ignore);
        told.push('\n');
        let files = [typical.source, typical.manifest].into_iter().flatten();
        told.extend(files.map(|file| self.summary(&[file])));
        told
    }

    /// Each step, and whether it runs when these files changed.
    fn after(&self, files: &[String]) -> String {
        let touched = Touched::new(self.context, self.ignore, files.to_vec());
        let forecast = self.model.after_change(&touched);
        let told = self.steps(&forecast, &|_, fate| self.fate(fate));
        told + "\n" + &self.summary(files)
    }

    fn summary(&self, files: &[String]) -> String {
        let touched = Touched::new(self.context, self.ignore, files.to_vec());
        let counts = self.model.after_change(&touched).rebuild();
        let files: Vec<String> = files.iter().map(|file| quoted(file)).collect();
        format!(
            "after a change of {}: {}\n",
            files.join(" and "),
            count(counts)
        )
    }

    fn steps(&self, forecast: &Forecast, say: &dyn Fn(Place, &Fate) -> String) -> String {
        let mut told = String::new();
        let mut stage = None;
        for (place, fate) in &forecast.steps {
            if stage != Some(place.stage) {
                stage = Some(place.stage);
                told += &format!("\n{}\n", self.stage_name(place.stage));
            }
            let Some(step) = self.model.step_at(*place) else {
                continue;
            };
            let line = step.instruction.lines.0;
            told += &format!("{line:>5}  {}\n", shown(step));
            told += &format!("       {}\n", say(*place, fate));
        }
        told
    }

    /// What makes a step run, besides its text and the steps before it.
    fn key(&self, step: &Step<'_>) -> String {
        let mut parts = Vec::new();
        let taken = self.model.taken(step);
        let files = taken_files(self.model, step, self.context, self.ignore);
        match files.as_slice() {
            _ if taken.is_empty() => {}
            [] => parts.push("files of the build context that are not known".to_owned()),
            [file] => parts.push(quoted(file)),
            files => parts.push(format!("one of {} files of the build context", files.len())),
        }
        let stages = step.sources.iter().filter_map(|base| match base {
            Base::Stage(stage) => Some(*stage),
            _ => None,
        });
        parts.extend(stages.map(|stage| format!("what it takes from {}", self.stage_name(stage))));
        let variables = self.model.keyed_by(step);
        parts.extend(variables.iter().map(|name| quoted(name)));
        match parts.as_slice() {
            [] => "runs again only after a step before it".to_owned(),
            parts => format!("runs again after a change of {}", parts.join(", ")),
        }
    }

    fn fate(&self, fate: &Fate) -> String {
        match fate {
            Fate::Cached => "cached".to_owned(),
            Fate::Runs(cause) => format!("runs: {}", self.cause(cause)),
            Fate::MayRun(cause) => format!("may run: {}", self.cause(cause)),
        }
    }

    fn cause(&self, cause: &Cause) -> String {
        match cause {
            Cause::File(file) => format!("{} changed", quoted(file)),
            Cause::Variable(name) => format!("{} has another value", quoted(name)),
            Cause::State => "its user, directory or shell is another one".to_owned(),
            Cause::Stage(stage) => format!(
                "{} runs, and what is taken from it may differ",
                self.stage_name(*stage)
            ),
            Cause::Step(place) => match self.model.step_at(*place) {
                Some(step) => format!("line {} does", step.instruction.lines.0),
                None => "the base image is another one".to_owned(),
            },
        }
    }

    fn stage_name(&self, index: usize) -> String {
        let name = self.model.stages.get(index);
        let name = name.and_then(|stage: &Stage<'_>| stage.name.as_deref());
        match name {
            Some(name) => format!("stage {}", quoted(name)),
            None => format!("stage {index}"),
        }
    }
}

fn count(counts: Rebuild) -> String {
    let Rebuild {
        cached,
        may_run,
        run,
    } = counts;
    let all = cached + may_run + run;
    let mut told = format!("{run} of {all} steps run");
    if may_run > 0 {
        told += &format!(", {may_run} may");
    }
    told
}

/// The instruction on one line, its end cut off where it is long.
fn shown(step: &Step<'_>) -> String {
    shortened(&on_one_line(step))
}

/// The instruction on one line.
pub(super) fn on_one_line(step: &Step<'_>) -> String {
    let text = String::from_utf8_lossy(&step.instruction.logical.text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    format!("`{}`", visible_line(text))
}
