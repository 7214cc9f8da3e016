//! Programs of which it is known what they need, and the packages that bring them: the table `rules/data/programs.toml`.
//!
//! Says nothing of what an image brings by itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The directories in which a package has its commands.
const DIRECTORIES: [&str; 2] = ["/usr/bin/", "/bin/"];

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Table {
    /// The commands of packages.
    commands: BTreeMap<String, Vec<String>>,
    init: Vec<Init>,
}

/// A program that starts the rest of its words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Init {
    /// The package that brings it, and its own name.
    pub package: String,
    /// Its options that are followed by no value.
    plain: Vec<String>,
    /// Those that are.
    valued: Vec<String>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(data!("programs")).unwrap_or_default());

/// Whether a package of Debian brings a command, which is written by its name or by its path.
pub fn brings(package: &str, command: &str) -> bool {
    let name = own_name(command);
    let known = TABLE.commands.get(package);
    name == package || known.is_some_and(|all| all.iter().any(|one| one == name))
}

/// Whether it is known what the commands of a package need.
pub fn is_known(package: &str) -> bool {
    TABLE.commands.contains_key(package)
}

/// The program that starts the rest of its words which a command is.
pub fn init(command: &str) -> Option<&'static Init> {
    let name = own_name(command);
    TABLE.init.iter().find(|init| init.package == name)
}

impl Init {
    /// Where the words of what is started begin; `None` where that is not known.
    pub fn starts(&self, words: &[String]) -> Option<usize> {
        let lists = |options: &[String], word: &str| options.iter().any(|one| one == word);
        let mut at = 0;
        loop {
            let word = words.get(at)?;
            if word == "--" {
                return (at + 1 < words.len()).then_some(at + 1);
            }
            if !word.starts_with('-') {
                return Some(at);
            }
            at += match word {
                word if lists(&self.plain, word) => 1,
                word if lists(&self.valued, word) => 2,
                _ => return None,
            };
        }
    }
}

/// A command without the directory in which packages have theirs.
fn own_name(command: &str) -> &str {
    let mut bare = DIRECTORIES
        .iter()
        .filter_map(|one| command.strip_prefix(one));
    bare.next().unwrap_or(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let table = serde_json::from_str::<Table>(data!("programs"));
        assert_eq!(table.err().map(|error| error.to_string()), None);
    }

    #[test]
    fn commands_are_known_by_name_and_path() {
        assert!(brings("curl", "curl") && brings("netcat-openbsd", "/usr/bin/nc"));
        assert!(!brings("curl", "/app/curl") && !brings("curl", "wget"));
    }

    #[test]
    fn what_an_init_starts_stands_behind_its_options() {
        let check = |line: &str, expected: Option<&str>| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let init = init(&words[0]).expect(line);
            let at = init.starts(&words[1..]);
            let started = at.map(|at| words[1 + at..].join(" "));
            assert_eq!(started.as_deref(), expected, "for {line}");
        };
        check("tini -- node main.js", Some("node main.js"));
        check("/usr/bin/tini -g -p SIGTERM node -r x", Some("node -r x"));
        check("dumb-init --rewrite 15:2 -- node", Some("node"));
        check("dumb-init --rewrite=15:2 node", None);
        check("tini --", None);
        check("tini -g", None);
        assert!(super::init("/tini").is_none());
    }
}
