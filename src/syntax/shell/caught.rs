//! The parser of shell scripts is not ours: a panic of it makes a script one that cannot be read, and is not told.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use shuck_parser::parser::{ParseResult, Parser};

thread_local! {
    static PARSES: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// What the parser makes of a text; `None` where it has a bug that the text uncovers.
pub(super) fn parse(text: &str) -> Option<ParseResult> {
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !PARSES.get() {
                others(panic);
            }
        }));
    });
    PARSES.set(true);
    let parsed = panic::catch_unwind(AssertUnwindSafe(|| Parser::new(text).parse()));
    PARSES.set(false);
    parsed.ok()
}

#[cfg(test)]
mod tests {
    use super::super::parse_text;

    #[test]
    fn a_bug_of_the_parser_makes_a_script_opaque() {
        // A back-tick that nothing closes, and a character of several bytes in a here-document.
        assert_eq!(parse_text("<<EOF `\n.\u{58c}\nEOF\n$(`"), None);
        assert!(parse_text("echo a").is_some());
    }
}
