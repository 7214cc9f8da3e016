//! `Gemfile.lock` and `.ruby-version`.

use crate::project::{ManifestError, read};

/// What a `Gemfile.lock` records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GemfileLock {
    /// All gems.
    pub gems: Vec<LockedGem>,
    /// Directories of `PATH` sections, relative to the file: gems of the project.
    pub paths: Vec<String>,
    /// Repositories of `GIT` sections.
    pub repositories: Vec<String>,
    /// `PLATFORMS`
    pub platforms: Vec<String>,
    /// `DEPENDENCIES`: the names that the Gemfile asks for.
    pub dependencies: Vec<String>,
    /// `RUBY VERSION`, such as `ruby 3.2.2p53`.
    pub ruby: Option<String>,
    /// `BUNDLED WITH`: the Bundler that an install switches to.
    pub bundler: Option<String>,
}

/// A gem of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedGem {
    /// Name.
    pub name: String,
    /// Version, with the platform where it has one, such as `1.16.0-x86_64-linux`.
    pub version: String,
}

/// What the `Gemfile.lock` of these bytes records; `path` is for the error only.
///
/// # Errors
/// It is not UTF-8, or holds the marks of a merge that was not finished.
pub fn gemfile_lock(path: &str, bytes: &[u8]) -> Result<GemfileLock, ManifestError> {
    let text = read::text(path, bytes)?;
    let mut lock = GemfileLock::default();
    let mut section = "";
    for (number, line) in (1..).zip(text.lines()) {
        if ["<<<<<<<", "=======", ">>>>>>>"]
            .iter()
            .any(|mark| line.starts_with(mark))
        {
            return Err(ManifestError::new(
                path,
                Some(number),
                "holds marks of a merge",
            ));
        }
        let entry = line.trim();
        if entry.is_empty() {
            continue;
        }
        if !line.starts_with(' ') {
            section = entry;
            continue;
        }
        lock.record(section, line.len() - line.trim_start().len(), entry);
    }
    Ok(lock)
}

impl GemfileLock {
    /// One line below the heading `section`, by its depth in blanks.
    fn record(&mut self, section: &str, depth: usize, entry: &str) {
        let remote = entry.strip_prefix("remote: ").filter(|_| depth == 2);
        match (section, remote) {
            ("PATH", Some(remote)) => self.paths.push(remote.to_owned()),
            ("GIT", Some(remote)) => self.repositories.push(remote.to_owned()),
            ("PATH" | "GIT" | "GEM" | "PLUGIN SOURCE", None) if depth == 4 => {
                self.gems.extend(gem(entry));
            }
            ("PLATFORMS", _) => self.platforms.push(entry.to_owned()),
            ("DEPENDENCIES", _) => {
                let name = entry.split([' ', '!']).next().unwrap_or_default();
                self.dependencies.push(name.to_owned());
            }
            ("RUBY VERSION", _) => self.ruby = Some(entry.to_owned()),
            ("BUNDLED WITH", _) => self.bundler = Some(entry.to_owned()),
            _ => {}
        }
    }
}

/// `name (version)`
fn gem(entry: &str) -> Option<LockedGem> {
    let (name, version) = entry.split_once(" (")?;
    Some(LockedGem {
        name: name.to_owned(),
        version: version.trim_end_matches(')').to_owned(),
    })
}

/// The version that a `.ruby-version` of these bytes names, without `ruby-`; `None` for an empty one.
///
/// # Errors
/// It is not UTF-8.
pub fn ruby_version(path: &str, bytes: &[u8]) -> Result<Option<String>, ManifestError> {
    let lines = read::text(path, bytes)?.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines
        .next()
        .map(|line| line.strip_prefix("ruby-").unwrap_or(line).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const LOCK: &str = "GIT
  remote: https://github.com/a/tool.git
  revision: abc
  branch: main
  specs:
    tool (1.0.0)
      rack (>= 2)

PATH
  remote: engines/engine
  specs:
    engine (0.1.0)

GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.16.0-x86_64-linux)
      racc (~> 1.4)
    rails (7.1.2)

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  engine!
  rails (~> 7.1.0)
  tool!

RUBY VERSION
   ruby 3.2.2p53

BUNDLED WITH
   2.4.19
";

    #[test]
    fn reads_a_lock() {
        let lock = gemfile_lock("Gemfile.lock", LOCK.as_bytes()).unwrap();
        let gems: Vec<_> = lock.gems.iter().map(|gem| gem.name.as_str()).collect();
        assert_eq!(gems, ["tool", "engine", "nokogiri", "rails"]);
        assert_eq!(lock.gems[2].version, "1.16.0-x86_64-linux");
        assert_eq!(lock.paths, ["engines/engine"]);
        assert_eq!(lock.repositories, ["https://github.com/a/tool.git"]);
        assert_eq!(lock.platforms, ["ruby", "x86_64-linux"]);
        assert_eq!(lock.dependencies, ["engine", "rails", "tool"]);
        assert_eq!(lock.ruby.as_deref(), Some("ruby 3.2.2p53"));
        assert_eq!(lock.bundler.as_deref(), Some("2.4.19"));
    }

    #[test]
    fn reads_the_version() {
        let version = |text: &str| ruby_version(".ruby-version", text.as_bytes()).unwrap();
        assert_eq!(version("ruby-3.2.2\n").as_deref(), Some("3.2.2"));
        assert_eq!(version("\n3.3\n").as_deref(), Some("3.3"));
        assert_eq!(version(""), None);
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let text = LOCK.replace("  revision: abc\n", "<<<<<<< HEAD\n");
        assert_eq!(
            gemfile_lock("Gemfile.lock", text.as_bytes())
                .unwrap_err()
                .line,
            Some(3)
        );
    }

    #[test]
    fn never_panics() {
        survives(&[LOCK], |bytes| {
            drop(gemfile_lock("l", bytes));
            drop(ruby_version("v", bytes));
        });
    }
}
