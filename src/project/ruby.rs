//! Ruby: `Gemfile`, `Gemfile.lock` and `.ruby-version`.
//!
//! Source: Bundler's manual (gemfile(5), bundle-install(1)). A Gemfile is a program: its statements are taken apart into
//! words, and one that is not understood is named, never run.

mod gemfile;
mod gemfile_tokens;
mod lock;

pub use gemfile::{Gem, GemOrigin, Gemfile, RubyVersion, gemfile};
pub use lock::{GemfileLock, LockedGem, gemfile_lock, ruby_version};
