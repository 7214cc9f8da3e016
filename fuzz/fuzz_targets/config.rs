//! Any text as `dockeropt.toml`, and as the file of a rule.
#![no_main]

use std::path::Path;

use dockeropt::config::Config;
use dockeropt::rule;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(config) = Config::parse(Path::new("dockeropt.toml"), text) {
        let _ = config.apply(rule::builtin().to_vec());
    }
    let _ = rule::parse_declarative(Path::new("rules/mine.toml"), text);
});
