//! The instructions of a Dockerfile that the history of its image must name.

use std::path::Path;

use anyhow::{Result, bail};

use crate::image::{Lines, Written};
use crate::model::{Base, Model, ModelInput, Stage, Step};
use crate::syntax::{Args, Dockerfile, Keyword};
use crate::walk;

/// The instructions of the stage that is built, behind those of the stages that it is built on.
pub(super) fn written(path: &Path, target: Option<&str>) -> Result<Vec<Written>> {
    let text = walk::read_regular(path)?;
    let file = Dockerfile::parse(&text);
    if let Some(error) = file.errors.first() {
        let (path, line) = (path.display(), error.lines.0);
        bail!(
            "{path}:{line}: BuildKit refuses the file: {}",
            error.message
        );
    }
    let input = ModelInput::default();
    let model = Model::of(&file, &text, &input);
    let mut stage = match target {
        Some(name) => model.stage(name),
        None => model.stages.last(),
    };
    if let (None, Some(name)) = (stage, target) {
        bail!("{}: there is no stage `{name}`", path.display());
    }
    let mut parts = Vec::new();
    while let Some(one) = stage {
        parts.push(steps(one));
        stage = match one.base {
            Base::Stage(below) => model.stages.get(below),
            _ => None,
        };
    }
    Ok(parts.into_iter().rev().flatten().collect())
}

fn steps(stage: &Stage<'_>) -> Vec<Written> {
    stage.triggers.iter().chain(&stage.steps).map(one).collect()
}

fn one(step: &Step<'_>) -> Written {
    let instruction = step.instruction;
    let (first, last) = instruction.lines;
    let is_script = instruction.keyword == Keyword::Run
        && matches!(instruction.args, Args::Shell)
        && instruction.heredocs.is_empty();
    let text = &instruction.logical.text;
    let args = instruction.args_start as usize..instruction.args_end as usize;
    let script = text.get(args).map(String::from_utf8_lossy);
    Written {
        keyword: instruction.keyword.to_string(),
        script: script
            .filter(|_| is_script)
            .map(|script| script.into_owned()),
        lines: Lines { first, last },
    }
}
