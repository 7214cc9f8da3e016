//! `fix --verify`: writes what was built, compared and found right. A rule whose fixes do not verify is left out and named,
//! and the rest is tried again.

use anyhow::{Result, bail};

use super::super::Status;
use super::super::claims::Claims;
use super::super::output::Output;
use super::super::progress::Progress;
use super::super::run::{self, Done};
use super::super::verify::{Lab, Trial, answer, interruptible};
use super::{Args, FixFormat, allow, show_fixes, write_changes};
use crate::engine::{self, EngineError};
use crate::render::verified;
use crate::verify::{LeftOut, Outcome, Verified};
use crate::walk::PathError;

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    if args.files.is_stdin() {
        bail!("`-` cannot be built: name a file");
    }
    if args.format == FixFormat::Markdown {
        bail!("`--format markdown` does not go together with `--verify`");
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
    let (mut claims, mut results) = (Claims::default(), Vec::new());
    for mut trial in trials {
        let how = trial.complete(&args.how);
        let lab = Lab::new(engine.as_ref(), &how, &progress);
        let verified = match settled(&mut trial, &lab, &mut claims, output) {
            Ok(verified) => verified,
            Err(error) if is_interrupted(&error) => return Err(error),
            Err(error) => {
                output.error(&format!("{error:#}"));
                status = Status::Error;
                continue;
            }
        };
        let ended = ended(&verified, output);
        results.push(verified);
        if ended == Status::Error {
            status = ended;
            continue;
        }
        if ended == Status::Found && args.exit_code && status == Status::Done {
            status = ended;
        }
        if let Err(error) = put(&trial.done(), args, output) {
            output.path_error(&error);
            status = Status::Error;
        }
    }
    if args.format == FixFormat::Json {
        output.print(verified::json(&engine.name(), &results).as_bytes());
    }
    Ok(status)
}

/// Leaves rules out until the rest verifies, or nobody knows which one is to blame.
fn settled(
    trial: &mut Trial,
    lab: &Lab<'_>,
    claims: &mut Claims,
    output: &mut Output,
) -> Result<Verified> {
    let path = trial.path().to_owned();
    let mut left_out = Vec::new();
    loop {
        trial.settle(claims)?;
        let outcome = trial.outcome(lab)?;
        let culprit = match &outcome {
            Outcome::Tried(tried) if !tried.does_the_same() => {
                tried.culprit.clone().zip(Some(tried))
            }
            _ => None,
        };
        let Some((rule, tried)) = culprit else {
            return Ok(Verified {
                path,
                outcome,
                left_out,
            });
        };
        let reason = verified::reason(tried);
        output.warn(&format!(
            "{}: `{rule}` is left out: {reason}",
            path.display()
        ));
        trial.leave_out(&rule)?;
        left_out.push(LeftOut { rule, reason });
    }
}

/// Says how it ended: something is to be changed, nothing is, or it must not be.
fn ended(verified: &Verified, output: &mut Output) -> Status {
    let path = verified.path.display();
    match &verified.outcome {
        Outcome::Unchanged => {
            output.say(&format!("{path}: nothing to change\n"));
            Status::Done
        }
        Outcome::NotBuilt(said) => {
            let said = said.lines().last().unwrap_or_default();
            output.error(&format!(
                "{path}: does not build as it is; nothing is changed: {said}"
            ));
            Status::Error
        }
        Outcome::Tried(tried) if tried.does_the_same() => {
            output.say(&format!("{path}: {}\n", verified::summary(tried)));
            Status::Found
        }
        Outcome::Tried(tried) => {
            let reason = verified::reason(tried);
            output.error(&format!("{path}: {reason}; nothing is changed"));
            Status::Error
        }
    }
}

fn put(done: &Done<'_>, args: &Args, output: &mut Output) -> Result<(), PathError> {
    let shown = match args.write {
        true => {
            write_changes(done)?;
            show_fixes(done, output.look)?
        }
        false => run::patch(done, output.look)?,
    };
    // The document stands alone.
    if args.format == FixFormat::Text {
        output.print(&shown);
        output.flush();
    }
    Ok(())
}

fn is_interrupted(error: &anyhow::Error) -> bool {
    error.downcast_ref() == Some(&EngineError::Interrupted)
}
