//! dockeropt rewrites Dockerfiles so that they build smaller images, rebuild faster and keep working.
//!
//! A map of the crate, left never importing right:
//!
//! ```text
//! text <- syntax <- model <-+
//! context <- project <------+- pass <- passes <- chain <- cli <- main
//! text <- rule <- report <--+          guard <--+
//! rule <- config     report <- render     model <- image <- verify <- render
//! only cli imports walk, history, config, render, engine
//! ```

/// The JSON that the build script made of `rules/data/<name>.toml`.
macro_rules! data {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/data/", $name, ".json"))
    };
}

pub mod chain;
pub mod cli;
pub mod config;
pub mod context;
pub mod engine;
pub mod guard;
pub mod history;
pub mod image;
pub mod model;
pub mod pass;
mod passes;
pub mod project;
pub mod render;
pub mod report;
pub mod rule;
pub mod syntax;
pub mod text;
pub mod verify;
pub mod walk;
