//! Rust: `Cargo.toml`, `Cargo.lock` and `.cargo/config.toml`.
//!
//! Sources: the Cargo book ("The Manifest Format", "Cargo Targets", "Workspaces", "Configuration"). No build script is run.

mod config;
mod lock;
mod manifest;
mod targets;

pub use config::{CargoConfig, cargo_config};
pub use lock::{CargoLock, LockedCrate, cargo_lock};
pub use manifest::{
    BuildScript, CargoBin, CargoPackage, CargoToml, CargoWorkspace, PathDependency, cargo_toml,
};
pub use targets::{cargo_bins, cargo_build_script, cargo_members};
