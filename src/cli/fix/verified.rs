//! `fix --verify`: writes what was built, compared and found right. A rule whose fixes do not verify is left out and named,
//! and the rest is tried again.

use anyhow::{Result, bail};

use super::super::claims::Claims;
use super::super::output::Output;
use super::super::progress::Progress;
use super::super::run::{self, Done};
use super::super::verify::{Lab, Trial, answer, interruptible};
use super::super::{Format, Status};
use super::{Args, allow, show_fixes, write_changes};
use crate::engine::{self, EngineError};
use crate::render::verified;
use crate::verify::{Outcome, Tried};
use crate::walk::PathError;

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    if args.files.is_stdin() {
        bail!("`-` cannot be built: name a file");
    }
    if args.format != Format::Text {
        bail!("`--verify` prints text only; `dockeropt verify --format json` has the comparison");
    }
    answer::check(&args.how)?;
    interruptible()?;
    let engine = engine::find_builder(args.how.engine)?;
    let progress = Progress::new();
    let (trials, errors) = Trial::all(&args.files, allow(args))?;
    let mut status = Status::Done;
    for error in &errors {
        output.path_error(error);
        status = Status::Error;
    }
    let mut claims = Claims::default();
    for mut trial in trials {
        let how = trial.complete(&args.how);
        let lab = Lab::new(engine.as_ref(), &how, &progress);
        match settled(&mut trial, &lab, &mut claims, output) {
            Ok(changes) if changes && args.exit_code && status == Status::Done => {
                status = Status::Found;
            }
            Ok(_) => {}
            Err(error) if is_interrupted(&error) => return Err(error),
            Err(error) => {
                output.error(&format!("{error:#}"));
                status = Status::Error;
                continue;
            }
        }
        if let Err(error) = put(&trial.done(), args, output) {
            output.path_error(&error);
            status = Status::Error;
        }
    }
    Ok(status)
}

/// Leaves rules out until the rest verifies. Says whether that changes anything.
fn settled(
    trial: &mut Trial,
    lab: &Lab<'_>,
    claims: &mut Claims,
    output: &mut Output,
) -> Result<bool> {
    let path = trial.path().display().to_string();
    loop {
        trial.settle(claims)?;
        let tried = match trial.outcome(lab)? {
            Outcome::Unchanged => {
                output.say(&format!("{path}: nothing to change\n"));
                return Ok(false);
            }
            Outcome::NotBuilt(said) => {
                let said = said.lines().last().unwrap_or_default();
                bail!("{path}: does not build as it is; nothing is changed: {said}")
            }
            Outcome::Tried(tried) => tried,
        };
        if tried.does_the_same() {
            output.say(&format!("{path}: {}\n", verified::summary(&tried)));
            return Ok(true);
        }
        let Some(rule) = &tried.culprit else {
            bail!("{path}: {}; nothing is changed", verified::reason(&tried));
        };
        output.warn(&format!("{path}: {}", dropped(rule, &tried)));
        trial.leave_out(rule)?;
    }
}

/// `` `env-key-value` is left out: the configuration's `env` is …``
fn dropped(rule: &str, tried: &Tried) -> String {
    format!("`{rule}` is left out: {}", verified::reason(tried))
}

fn put(done: &Done<'_>, args: &Args, output: &mut Output) -> Result<(), PathError> {
    let shown = match args.write {
        true => {
            write_changes(done)?;
            show_fixes(done, output.look)?
        }
        false => run::patch(done, output.look)?,
    };
    output.print(&shown);
    output.flush();
    Ok(())
}

fn is_interrupted(error: &anyhow::Error) -> bool {
    error.downcast_ref() == Some(&EngineError::Interrupted)
}
