//! From the words of a command to an [`Invocation`]: wrappers, sub-command, options and their values.

use super::invocation::{Flag, Invocation, Value};
use super::{Manager, Role, TABLE, Wrapper, by_command, is_version};
use crate::syntax::shell::Word;

/// Reads a command; the invocation's role is not settled yet.
pub(super) fn read(words: &[Word]) -> Option<Invocation> {
    let mut reader = Reader::new(words);
    let manager = reader.find_manager()?;
    let mut invocation = Invocation {
        manager,
        role: Role::Other,
        command: reader.at.checked_sub(1)?,
        other_user: reader.other_user,
        wrappers: std::mem::take(&mut reader.wrappers),
        subcommand: Vec::new(),
        subcommand_name: String::new(),
        flags: Vec::new(),
        packages: Vec::new(),
        arguments: Vec::new(),
        manifests: Vec::new(),
        targets: Vec::new(),
        dynamic: false,
    };
    reader.read_arguments(&mut invocation);
    Some(invocation)
}

struct Reader<'w> {
    words: &'w [Word],
    at: usize,
    wrappers: Vec<usize>,
    other_user: bool,
}

impl<'w> Reader<'w> {
    fn new(words: &'w [Word]) -> Self {
        Self {
            words,
            at: 0,
            wrappers: Vec::new(),
            other_user: false,
        }
    }

    fn literal(&self, at: usize) -> Option<&'w str> {
        self.words.get(at)?.literal.as_deref()
    }

    /// Moves behind the manager's own word, over wrappers and `python -m`.
    fn find_manager(&mut self) -> Option<&'static Manager> {
        // Every turn moves on, so it ends.
        loop {
            let path = self.literal(self.at)?;
            let name = path.rsplit('/').next().unwrap_or(path);
            if let Some(wrapper) = TABLE.wrappers.get(name) {
                self.skip_wrapper(wrapper)?;
                continue;
            }
            self.at += 1;
            if is_python(name) {
                let module = self.find_module()?;
                let mut managers = TABLE.managers.iter();
                return managers.find(|manager| manager.module.as_deref() == Some(module));
            }
            return by_command(name);
        }
    }

    fn skip_wrapper(&mut self, wrapper: &Wrapper) -> Option<()> {
        self.other_user |= wrapper.other_user;
        self.wrapper_word();
        let mut own = wrapper.words;
        loop {
            let word = self.literal(self.at)?;
            if wrapper.not_run.iter().any(|option| option == word) {
                return None;
            }
            if wrapper.values.iter().any(|option| option == word) {
                self.wrapper_word();
                self.wrapper_word();
            } else if word.starts_with('-') || is_assignment(word) {
                self.wrapper_word();
            } else if own > 0 {
                own -= 1;
                self.wrapper_word();
            } else {
                return Some(());
            }
        }
    }

    fn wrapper_word(&mut self) {
        self.wrappers.push(self.at);
        self.at += 1;
    }

    /// Behind `python`: the module of `-m`, other options skipped.
    fn find_module(&mut self) -> Option<&'w str> {
        loop {
            let word = self.literal(self.at)?;
            self.at += 1;
            match word {
                "-m" => {
                    self.at += 1;
                    return self.literal(self.at - 1);
                }
                "-W" | "-X" => self.at += 1,
                "-c" => return None,
                _ if word.starts_with('-') && word.len() > 1 => {}
                _ => return None,
            }
        }
    }

    fn read_arguments(&mut self, into: &mut Invocation) {
        let mut options = true;
        while let Some(word) = self.words.get(self.at) {
            self.at += 1;
            let index = self.at - 1;
            match word.literal.as_deref() {
                Some("--") if options => options = false,
                Some(text) if options && is_option(text, into.manager) => {
                    self.option(index, text, into);
                }
                Some(text) => positional(index, text, into),
                None => {
                    into.dynamic = true;
                    if options {
                        self.dynamic_option(index, &word.text, into);
                    }
                }
            }
        }
    }

    fn option(&mut self, word: usize, text: &str, into: &mut Invocation) {
        // `pacman -S`: the operation is an option.
        if into.subcommand.is_empty() && into.manager.role(text).is_some() {
            into.subcommand.push(word);
            into.subcommand_name = text.to_owned();
            return;
        }
        if let Some((name, value)) = text.split_once('=') {
            let text = Some(value.to_owned());
            return into.add_flag(word, name, Some(Value { word, text }));
        }
        let is_cluster = into.manager.clusters && text.len() > 2 && !text.starts_with("--");
        // `-qq` is a flag of its own for apt-get.
        if !is_cluster || into.takes_value(text) || into.manager.yes.iter().any(|yes| yes == text) {
            let value = self.value_of(text, into);
            return into.add_flag(word, text, value);
        }
        for (at, letter) in text.char_indices().skip(1) {
            let name = format!("-{letter}");
            let rest = text.get(at + letter.len_utf8()..).unwrap_or_default();
            if into.takes_value(&name) && !rest.is_empty() {
                let text = Some(rest.to_owned());
                return into.add_flag(word, &name, Some(Value { word, text }));
            }
            let value = self.value_of(&name, into);
            into.add_flag(word, &name, value);
        }
    }

    /// The next word, where the option takes one, or where it is the value of a switch (`--unsafe-perm true`).
    fn value_of(&mut self, name: &str, into: &mut Invocation) -> Option<Value> {
        let word = self.words.get(self.at)?;
        let switch = matches!(word.literal.as_deref(), Some("true" | "false"));
        if !switch && !into.takes_value(name) {
            return None;
        }
        self.at += 1;
        into.dynamic |= word.literal.is_none();
        Some(Value {
            word: self.at - 1,
            text: word.literal.clone(),
        })
    }

    /// `--prefix=$HOME`: the name is literal although the word is not.
    fn dynamic_option(&mut self, word: usize, text: &str, into: &mut Invocation) {
        let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_' | '.');
        if let Some((name, _)) = text.split_once('=')
            && name.starts_with('-')
            && name.chars().all(plain)
        {
            into.add_flag(word, name, Some(Value { word, text: None }));
        }
    }
}

impl Invocation {
    fn takes_value(&self, option: &str) -> bool {
        let manager = self.manager;
        let in_role = || {
            let role = manager.role(&self.subcommand_name);
            manager.goals || role.or(manager.bare).is_some_and(|role| role < Role::Clean)
        };
        let listed = |list: &[String]| list.iter().any(|one| one == option);
        listed(&manager.global_values)
            || in_role()
                && (listed(&manager.values)
                    || listed(&manager.manifest_options)
                    || listed(&manager.target_options))
    }

    fn add_flag(&mut self, word: usize, name: &str, value: Option<Value>) {
        let listed = |list: &[String]| list.iter().any(|one| one == name);
        if let Some(value) = &value {
            if listed(&self.manager.manifest_options) {
                self.manifests.push(value.clone());
            }
            if listed(&self.manager.target_options) {
                self.targets.push(value.clone());
            }
        }
        let name = name.to_owned();
        self.flags.push(Flag { word, name, value });
    }
}

fn positional(word: usize, text: &str, into: &mut Invocation) {
    let manager = into.manager;
    let more = manager.goals
        || into.subcommand.is_empty()
        || manager.role(&into.subcommand_name).is_none()
            && into.packages.is_empty()
            && manager.goes_on(&into.subcommand_name);
    // `cargo +nightly build`: a toolchain, no sub-command.
    if into.subcommand.is_empty() && text.starts_with('+') {
        into.arguments.push(word);
        return;
    }
    if !more {
        into.packages.push(word);
        return;
    }
    into.subcommand.push(word);
    if !into.subcommand_name.is_empty() {
        into.subcommand_name.push(' ');
    }
    into.subcommand_name.push_str(text);
}

fn is_option(text: &str, manager: &Manager) -> bool {
    text.len() > 1 && text.starts_with('-')
        || manager.slash_options && text.starts_with('/') && text.contains(':')
}

fn is_python(name: &str) -> bool {
    let version = name.strip_prefix("python").or(name.strip_prefix("pypy"));
    version.is_some_and(is_version)
}

/// `NAME=value`.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else {
        return false;
    };
    let in_name = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
    name.starts_with(|ch: char| !ch.is_ascii_digit()) && name.chars().all(in_name)
}
