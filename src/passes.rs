//! The passes, by the name that rules give them. No pass imports another.

mod add_install_flag;
mod apk_no_cache;
mod apt_no_recommends;
mod archive_cleanup;
mod cache_mounts;
mod casing;
mod clean_cache;
mod clean_indexes;
mod continuation_without_blanks;
mod copy_manifests_first;
mod copy_not_add;
mod copy_owner;
mod dead_step;
mod dockerignore;
mod exec_form;
mod healthcheck;
mod install_before_copy;
mod join_steps;
mod key_value;
mod label_maintainer;
mod nonroot_user;
mod npm_ci;
mod omit_dev;
mod pattern;
mod pin_base;
mod prune_dev;
mod redundant_platform;
mod rust_build_cache;
mod secret_in_arg;
mod slim_base;
mod split_stages;
mod unused_copy;
mod unused_stage;
mod volatile_last;

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
        "archive-cleanup" => Box::new(read::<archive_cleanup::ArchiveCleanup>(data)?),
        "cache-mounts" => Box::new(read::<cache_mounts::CacheMounts>(data)?),
        "casing" => Box::new(read::<casing::Casing>(data)?),
        "clean-cache" => Box::new(read::<clean_cache::CleanCache>(data)?),
        "clean-indexes" => Box::new(read::<clean_indexes::CleanIndexes>(data)?),
        "continuation-without-blanks" => Box::new(read::<
            continuation_without_blanks::ContinuationWithoutBlanks,
        >(data)?),
        "copy-manifests-first" => Box::new(read::<copy_manifests_first::CopyManifestsFirst>(data)?),
        "copy-not-add" => Box::new(read::<copy_not_add::CopyNotAdd>(data)?),
        "copy-owner" => Box::new(read::<copy_owner::CopyOwner>(data)?),
        "dockerignore" => Box::new(read::<dockerignore::Dockerignore>(data)?),
        "exec-form" => Box::new(read::<exec_form::ExecForm>(data)?),
        "install-before-copy" => Box::new(read::<install_before_copy::InstallBeforeCopy>(data)?),
        "join-steps" => Box::new(read::<join_steps::JoinSteps>(data)?),
        "npm-ci" => Box::new(read::<npm_ci::NpmCi>(data)?),
        "omit-dev" => Box::new(read::<omit_dev::OmitDev>(data)?),
        "key-value" => Box::new(read::<key_value::KeyValue>(data)?),
        "label-maintainer" => Box::new(read::<label_maintainer::LabelMaintainer>(data)?),
        "prune-dev" => Box::new(read::<prune_dev::PruneDev>(data)?),
        "redundant-platform" => Box::new(read::<redundant_platform::RedundantPlatform>(data)?),
        "rust-build-cache" => Box::new(read::<rust_build_cache::RustBuildCache>(data)?),
        "slim-base" => Box::new(read::<slim_base::SlimBase>(data)?),
        "split-stages" => Box::new(read::<split_stages::SplitStages>(data)?),
        "dead-step" => Box::new(read::<dead_step::DeadStep>(data)?),
        "healthcheck" => Box::new(read::<healthcheck::Healthcheck>(data)?),
        "nonroot-user" => Box::new(read::<nonroot_user::NonrootUser>(data)?),
        "pin-base" => Box::new(read::<pin_base::PinBase>(data)?),
        "secret-in-arg" => Box::new(read::<secret_in_arg::SecretInArg>(data)?),
        "unused-copy" => Box::new(read::<unused_copy::UnusedCopy>(data)?),
        "unused-stage" => Box::new(read::<unused_stage::UnusedStage>(data)?),
        "volatile-last" => Box::new(read::<volatile_last::VolatileLast>(data)?),
        _ => return Err(format!("there is no pass `{name}`")),
    })
}

/// The data of a rule, as its pass wants them.
fn read<T: DeserializeOwned>(data: &str) -> Result<T, String> {
    serde_json::from_str(data).map_err(|error| error.to_string())
}
