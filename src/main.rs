//! The dockeropt command.
fn main() {}
