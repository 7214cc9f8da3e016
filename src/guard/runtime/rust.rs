//! Rust in a stage that is split in two: the libraries that the stage that ships installs for its program.

use crate::model::{Stage, Step};
use crate::syntax::{Args, Keyword};

/// What one step of the stage that ships may do, with packages between.
const INSTALL: [&str; 2] = [
    "apt-get update && apt-get install -y --no-install-recommends ",
    " && rm -rf /var/lib/apt/lists/*",
];

/// Whether a step does nothing but to install libraries, and the certificates of authorities, for a program of Rust.
pub(super) fn installs_libraries(step: &Step<'_>, shipped: &Stage<'_>) -> bool {
    let instruction = step.instruction;
    let text = String::from_utf8_lossy(instruction.args_text());
    let is_letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".+-".contains(&byte);
    let is_library = |name: &str| {
        name.starts_with("lib") && !name.ends_with("-dev") && name.bytes().all(is_letter)
    };
    let names = text
        .strip_prefix(INSTALL[0])
        .and_then(|rest| rest.strip_suffix(INSTALL[1]));
    let is_known = |name: &str| name == "ca-certificates" || is_library(name);
    shipped.end.base().is_family("rust")
        && instruction.keyword == Keyword::Run
        && instruction.flags.is_empty()
        && matches!(instruction.args, Args::Shell)
        && step.before.is_root() == Some(true)
        && names.is_some_and(|names| names.split(' ').all(is_known))
}
