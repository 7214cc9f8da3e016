//! The command line, from outside: what each command prints, writes and answers.

mod baseline;
mod closed;
mod commands;
mod commits;
mod compose;
mod configuration;
mod context;
mod documented;
mod explaining;
#[cfg(unix)]
mod faults;
mod formats;
mod history;
mod ignoring;
mod interactive;
mod json;
mod layers;
mod lines;
mod looks;
mod markdown;
mod only_changed;
mod packaging;
mod patches;
mod paths;
mod readme;
pub(crate) mod sandbox;
mod sarif;
mod setting_up;
mod terminal;
mod verifying;
mod writing;
