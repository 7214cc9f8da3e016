//! The tests of the whole crate, in one binary: what must hold for every Dockerfile, and what each rule does.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[cfg(unix)]
mod action;
mod bounds;
mod cases;
mod cli;
mod conformance;
mod corpus;
mod corpus_fix;
mod diff;
mod differential;
mod documents;
#[cfg(unix)]
mod engine;
mod files;
#[cfg(unix)]
mod fleet;
mod generate;
mod guard;
mod guard_base;
mod guard_build_cache;
mod guard_effects;
mod guard_modes;
mod guard_mounts;
mod guard_mutation;
mod guard_order;
mod guard_order_tools;
mod guard_packages;
mod guard_prefetch;
mod guard_prune;
mod guard_runtime;
mod guard_split;
mod guard_traps;
mod guard_unused;
mod invariants;
mod lsp;
mod patching;
mod precommit;
mod properties;
mod run;
mod shell;
mod syntax;
mod tidy;
mod traps;
mod view;
mod wheel;
