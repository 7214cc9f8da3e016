//! Any text as shell: its commands lie in it.
#![no_main]

use dockeropt::model::managers::invocation;
use dockeropt::syntax::shell;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some(script) = shell::parse_text(text) else {
        return;
    };
    for at in script.commands() {
        let span = at.command.span;
        assert!(span.start <= span.end && span.end as usize <= text.len());
        let _ = invocation(&at.command.words);
    }
});
