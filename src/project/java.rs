//! Java: Maven's `pom.xml`, and the build and settings files of Gradle.
//!
//! Sources: Maven's POM reference, Gradle's manual. Gradle's files are programs: they are taken apart into words, and
//! what only running them could tell is unknown.

mod gradle;
mod gradle_tokens;
mod maven;
mod maven_files;

pub use gradle::{GradleArchive, GradleBuild, GradleSettings, gradle_build, gradle_settings};
pub use maven::{Pom, PomModule, PomParent, pom};
pub use maven_files::pom_files;
