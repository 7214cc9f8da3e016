//! Any bytes as an ignore file, asked about a few paths.
#![no_main]

use dockeropt::context::ignore::Ignore;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(ignore) = Ignore::parse(text) else {
        return;
    };
    for path in ["a", "src/main.rs", "node_modules/a/b/index.js", ".git/HEAD", "a b/ü"] {
        let _ = ignore.ignores(path);
    }
});
