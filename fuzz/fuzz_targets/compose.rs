//! Any bytes as the file of a workspace that says what is built from where: the first byte says which.
#![no_main]

use dockeropt::context::MemoryContext;
use dockeropt::context::locate::Declared;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 6] = [
    "compose.yaml",
    "docker-bake.hcl",
    "docker-bake.json",
    ".github/workflows/ci.yml",
    ".gitlab-ci.yml",
    "Makefile",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, text)) = bytes.split_first() else {
        return;
    };
    let name = NAMES[usize::from(*which) % NAMES.len()];
    let context = MemoryContext::from([(name, text), ("Dockerfile", b"FROM scratch\n")]);
    let _ = Declared::search(&context);
});
