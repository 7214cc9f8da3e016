//! Which rule is to blame: the first one with which a build fails or an image differs.

use anyhow::Result;

use super::lab::Lab;
use super::trial::{Original, Trial};
use crate::chain::Chain;
use crate::engine::EngineError;

/// The first of `rules`, in the order of the chain, with which the rewritten side is no longer right. All of them
/// together are known not to be; a build for each halving.
pub(super) fn culprit(
    trial: &Trial,
    lab: &Lab<'_>,
    before: &Original,
    rules: &[String],
) -> Result<String> {
    let (mut right, mut wrong) = (0, rules.len());
    while wrong - right > 1 {
        let middle = right + (wrong - right) / 2;
        match is_right(trial, lab, before, &rules[..middle])? {
            true => right = middle,
            false => wrong = middle,
        }
    }
    Ok(rules[wrong - 1].clone())
}

/// Whether the image is right with these rules alone.
fn is_right(trial: &Trial, lab: &Lab<'_>, before: &Original, rules: &[String]) -> Result<bool> {
    let mut chosen = trial.chain.rules().to_vec();
    chosen.retain(|rule| rules.contains(&rule.id));
    let chain = Chain::in_order(chosen)?;
    let report = trial.optimized(&chain);
    let rewrite = trial.rewrite(&report);
    let title = trial.title(&format!("with {} of its rules", rules.len()));
    let made = match lab.build(&trial.rewritten(&rewrite, &title), false)? {
        Ok(made) => made,
        Err(EngineError::Build(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let (_, after) = lab.examined(&made)?;
    Ok(trial.compared(lab, before, &after, &rewrite)?.is_verified())
}
