//! What a shell command is, by its leading words: `apt-get -y install` is an `apt-get install`.

use crate::model::managers;
use crate::syntax::shell::Command;

/// Whether a command of that name runs the one behind it.
fn is_wrapper(name: &str) -> bool {
    matches!(
        name,
        "sudo" | "command" | "exec" | "time" | "nice" | "eatmydata" | "env" | "nohup"
    )
}

/// The index of the command's own name: behind `sudo`, `env A=b` and the like, flags of those passed over.
pub fn name_index(command: &Command) -> Option<usize> {
    let mut wrapped = false;
    for (index, word) in command.words.iter().enumerate() {
        let text = word.literal.as_deref()?;
        if is_wrapper(base_name(text)) {
            wrapped = true;
            continue;
        }
        if wrapped && (text.starts_with('-') || text.contains('=')) {
            continue;
        }
        return Some(index);
    }
    None
}

/// The command's name without its directory, wrappers passed over.
pub fn name(command: &Command) -> Option<&str> {
    let word = command.words.get(name_index(command)?)?;
    Some(base_name(word.literal.as_deref()?))
}

fn base_name(path: &str) -> &str {
    match memchr::memrchr(b'/', path.as_bytes()) {
        Some(slash) => &path[slash + 1..],
        None => path,
    }
}

/// The index of the last of the `leading` words, where the command starts with them: the name first (a version may end
/// it: `pip3`, `python3.12`), flags between them passed over unless `leading` names one there.
pub fn leading_words<S: AsRef<str>>(command: &Command, leading: &[S]) -> Option<usize> {
    leading_by(command, leading, |choice| std::slice::from_ref(choice))
}

/// The same for words that each have spellings that stand for each other.
pub fn leading_choices(command: &Command, leading: &[Vec<String>]) -> Option<usize> {
    leading_by(command, leading, Vec::as_slice)
}

fn leading_by<'l, T, S: AsRef<str> + 'l>(
    command: &Command,
    leading: &'l [T],
    choices: impl Fn(&'l T) -> &'l [S],
) -> Option<usize> {
    let index = name_index(command)?;
    let found = base_name(command.words.get(index)?.literal.as_deref()?);
    leading_of(command, (index, found), leading, choices)
}

/// The same for a command whose name, without its directory, is `found` and stands at `index`.
fn leading_of<'l, T, S: AsRef<str> + 'l>(
    command: &Command,
    (mut index, found): (usize, &str),
    leading: &'l [T],
    choices: impl Fn(&'l T) -> &'l [S],
) -> Option<usize> {
    let (names, rest) = leading.split_first()?;
    let mut names = choices(names).iter();
    names
        .any(|name| is_name(found, name.as_ref()))
        .then_some(())?;
    for wanted in rest {
        loop {
            index += 1;
            let word = command.words.get(index)?.literal.as_deref()?;
            if choices(wanted).iter().any(|one| one.as_ref() == word) {
                break;
            }
            word.starts_with('-').then_some(())?;
            index += usize::from(takes_value(found, word));
        }
    }
    Some(index)
}

/// Whether `found` is the name `wanted`, or that with a version behind it where programs have one.
fn is_name(found: &str, wanted: &str) -> bool {
    let Some(version) = found.strip_prefix(wanted) else {
        return false;
    };
    let is_version = version.chars().all(|c| c.is_ascii_digit() || c == '.');
    version.is_empty() || is_version && matches!(wanted, "pip" | "python")
}

/// Whether the command starts with one of `commands`.
pub fn is_any(command: &Command, commands: &[Vec<String>]) -> bool {
    let named = name_index(command).and_then(|index| {
        let word = command.words.get(index)?;
        Some((index, base_name(word.literal.as_deref()?)))
    });
    named.is_some_and(|named| {
        let mut commands = commands.iter();
        commands.any(|one| leading_of(command, named, one, std::slice::from_ref).is_some())
    })
}

/// The names of `commands`, each given as its leading words.
pub fn names<'c>(commands: impl IntoIterator<Item = &'c Vec<String>>) -> Vec<&'c str> {
    let names = commands.into_iter().filter_map(|leading| leading.first());
    names.map(String::as_str).collect()
}

/// Whether `flag` of the package manager `name` takes the next word as its value.
fn takes_value(name: &str, flag: &str) -> bool {
    managers::by_command(name).is_some_and(|manager| {
        let mut valued = manager.global_values.iter().chain(&manager.values);
        valued.any(|one| one == flag)
    })
}

/// Whether a word is `flag`, or `flag=…`, and not the value of another flag.
pub fn has_flag(command: &Command, flag: &str) -> bool {
    if !command.words.iter().any(|word| word.text.starts_with(flag)) {
        return false;
    }
    let name = name(command).unwrap_or_default();
    let mut is_value = false;
    command.words.iter().any(|word| {
        let free = !is_value;
        is_value = free && takes_value(name, &word.text);
        let rest = word.text.strip_prefix(flag).filter(|_| free);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}
