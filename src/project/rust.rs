//! Rust: `Cargo.toml` and `Cargo.lock`.
//!
//! Sources: the Cargo book ("The Manifest Format", "Cargo Targets", "Workspaces"). No build script is run.

mod lock;
mod manifest;
mod targets;

pub use lock::{CargoLock, LockedCrate, cargo_lock};
pub use manifest::{
    BuildScript, CargoBin, CargoPackage, CargoToml, CargoWorkspace, PathDependency, cargo_toml,
};
pub use targets::{cargo_bins, cargo_build_script, cargo_members};
