//! The passes, by the name that rules give them. No pass imports another.

mod add_install_flag;
mod apk_no_cache;
mod apt_no_recommends;
mod clean_indexes;
mod copy_not_add;
mod join_steps;
mod key_value;
mod pattern;

use serde::de::DeserializeOwned;

use crate::pass::Pass;
use crate::rule::{Action, Rule};

/// The pass that `rule` names, with the rule's data and options read.
///
/// # Errors
/// What is wrong with the rule: an unknown pass, or data that the pass cannot read.
pub(crate) fn build(rule: &Rule) -> Result<Box<dyn Pass>, String> {
    let (name, data) = match &rule.action {
        Action::Pass { name, data, .. } => (name, data),
        Action::Pattern(pattern) => return Ok(pattern.clone()),
    };
    Ok(match name.as_str() {
        "add-install-flag" => Box::new(read::<add_install_flag::AddInstallFlag>(data)?),
        "apk-no-cache" => Box::new(read::<apk_no_cache::ApkNoCache>(data)?),
        "apt-no-recommends" => Box::new(read::<apt_no_recommends::AptNoRecommends>(data)?),
        "clean-indexes" => Box::new(read::<clean_indexes::CleanIndexes>(data)?),
        "copy-not-add" => Box::new(read::<copy_not_add::CopyNotAdd>(data)?),
        "join-steps" => Box::new(read::<join_steps::JoinSteps>(data)?),
        "key-value" => Box::new(read::<key_value::KeyValue>(data)?),
        _ => return Err(format!("there is no pass `{name}`")),
    })
}

/// The data of a rule, as its pass wants them.
fn read<T: DeserializeOwned>(data: &toml::Table) -> Result<T, String> {
    let value = toml::Value::Table(data.clone());
    value.try_into().map_err(|error| error.to_string())
}
