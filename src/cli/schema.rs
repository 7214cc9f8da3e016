//! `dockeropt schema`: the JSON schema of `dockeropt.toml`, with the rules that the current folder's one brings.

use anyhow::Result;

use super::Status;
use super::chains::Chains;
use super::output::Output;
use crate::config;

pub(super) fn run(output: &mut Output) -> Result<Status> {
    let schema = config::schema(&Chains::known_here()?);
    output.print(format!("{schema:#}\n").as_bytes());
    Ok(Status::Done)
}
