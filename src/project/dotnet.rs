//! .NET: project files, solutions, and the files beside them that a restore reads.
//!
//! Sources: the MSBuild reference ("Common MSBuild project properties", "Customize your build"), the NuGet reference.
//! MSBuild is not run: a property with a condition or an expression is computed.

mod files;
mod nuget;
mod project;
mod solution;

pub use files::{dotnet_files, shared_files};
pub use nuget::{GlobalJson, global_json, local_sources};
pub use project::{DotnetProject, Reference, dotnet_project};
pub use solution::{SolutionProject, solution};

/// A path as MSBuild writes it, with `/`.
fn slashes(path: &str) -> String {
    path.replace('\\', "/")
}
