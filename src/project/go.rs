//! Go: `go.mod`, `go.work`, and what the sources of a module tell at a glance.
//!
//! Sources: the Go modules reference, the `cgo` and `embed` packages' manuals, `go help packages` and `go help
//! buildconstraint`. Sources are scanned line by line, never parsed.

mod file;
mod modfile;
mod sources;

pub use file::{GoFile, GoNeed, go_file};
pub use modfile::{GoMod, GoReplace, GoRequire, GoWork, go_mod, go_work};
pub use sources::{GoSources, go_sources};

/// The words of a line: separated by blanks, `"…"` and `` `…` `` kept together and without their quotes. `None` where a
/// quote is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '"' | '`');
        let (word, after) = if quoted {
            rest.get(1..)?.split_once(first)?
        } else {
            rest.split_at_checked(rest.find(char::is_whitespace).unwrap_or(rest.len()))?
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(words)
}
