//! Which files a command downloads, by the words of `curl` and `wget`. Never guesses: what is named otherwise is no file.

use crate::pass::command;
use crate::syntax::shell::Command;

/// The files that a `curl` or `wget` writes, as its words spell them: where a name is not to be known, none.
pub fn files(command: &Command) -> Vec<String> {
    let words = command.words.iter().skip(1);
    let words: Vec<&str> = words.map(|word| word.text.as_str()).collect();
    let files = match command::name(command) {
        Some("wget") => wget(&words),
        Some("curl") => curl(&words),
        _ => Vec::new(),
    };
    let is_file = |file: &String| file != "-" && !file.starts_with("/dev/");
    files.into_iter().filter(is_file).collect()
}

fn wget(words: &[&str]) -> Vec<String> {
    const ELSEWHERE: [&str; 6] = ["-P", "-i", "-x", "--dir", "--content", "--input"];
    let elsewhere = |word: &&str| ELSEWHERE.iter().any(|one| word.starts_with(one));
    match output(words, 'O', "--output-document") {
        Output::File(file) => vec![file],
        Output::Unknown => Vec::new(),
        Output::Default if words.iter().any(elsewhere) => Vec::new(),
        Output::Default => from_urls(words),
    }
}

fn curl(words: &[&str]) -> Vec<String> {
    let remote_name = |word: &&str| *word == "--remote-name" || has_letter(word, 'O');
    let elsewhere = |word: &&str| word.starts_with("--output-dir") || has_letter(word, 'J');
    match output(words, 'o', "--output") {
        _ if words.iter().any(elsewhere) => Vec::new(),
        Output::File(file) => vec![file],
        Output::Default if words.iter().any(remote_name) => from_urls(words),
        Output::Default | Output::Unknown => Vec::new(),
    }
}

enum Output {
    File(String),
    /// A flag names it in a way that is not read.
    Unknown,
    Default,
}

/// The word behind the flag that names the file, which may end a cluster: `-fsSLo file`.
fn output(words: &[&str], letter: char, long: &str) -> Output {
    let names = |word: &&str| has_letter(word, letter) || word.starts_with(long);
    let mut flags = words.iter().enumerate().filter(|(_, word)| names(word));
    let (at, flag) = match (flags.next(), flags.next()) {
        (None, _) => return Output::Default,
        (Some(only), None) => only,
        (Some(_), Some(_)) => return Output::Unknown,
    };
    match words.get(at + 1) {
        Some(file) if *flag == long || flag.ends_with(letter) && !flag.starts_with("--") => {
            Output::File((*file).to_owned())
        }
        _ => Output::Unknown,
    }
}

/// Whether a word is a cluster of short flags that has this one.
fn has_letter(word: &str, letter: char) -> bool {
    let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    letters.is_some_and(|letters| letters.contains(letter))
}

/// The last segment of each URL.
fn from_urls(words: &[&str]) -> Vec<String> {
    let urls = words.iter().filter(|word| word.contains("://"));
    let names = urls.filter_map(|url| url.trim_matches(['"', '\'']).rsplit('/').next());
    let is_name = |name: &&str| !name.is_empty() && !name.contains(['?', '#', '*', '"', '\'']);
    names.filter(is_name).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::files;
    use crate::syntax::Dockerfile;
    use crate::syntax::shell::{parse, text_of};

    fn names(command: &str) -> String {
        let text = format!("FROM a\nRUN {command}\n");
        let file = Dockerfile::parse(text.as_bytes());
        let run = file.instructions().last().unwrap();
        let script = text_of(run, text.as_bytes()).and_then(|text| parse(&text));
        let found = script.unwrap();
        let command = found.commands().into_iter().next().unwrap().command;
        files(command).join(" ")
    }

    #[test]
    fn flags_and_urls_name_the_file() {
        let cases = [
            ("wget https://e.com/a.tgz", "a.tgz"),
            (
                "wget -q https://e.com/a.tgz https://e.com/b.tgz",
                "a.tgz b.tgz",
            ),
            ("wget -qO /tmp/a.tgz https://e.com/x", "/tmp/a.tgz"),
            ("wget -O a https://e.com/x", "a"),
            ("wget \"https://e.com/a-${V}.tgz\"", "a-${V}.tgz"),
            ("wget -qO- https://e.com/a.tgz", ""),
            ("wget -O - https://e.com/a.tgz", ""),
            ("wget --output-document=a https://e.com/x", ""),
            ("wget -P /opt https://e.com/a.tgz", ""),
            ("wget https://e.com/get?file=a.tgz", ""),
            ("curl -fsSLo a.tgz https://e.com/x", "a.tgz"),
            ("curl https://e.com/x --output a.tgz", "a.tgz"),
            ("curl -LO https://e.com/a.tgz", "a.tgz"),
            ("curl -LO --output-dir /opt https://e.com/a.tgz", ""),
            ("curl -LOJ https://e.com/a.tgz", ""),
            ("curl -o a https://e.com/x -o b https://e.com/y", ""),
            ("curl -o /dev/null https://e.com/x", ""),
            ("curl https://e.com/a.tgz", ""),
            ("git clone https://e.com/a.tgz", ""),
        ];
        for (command, expected) in cases {
            assert_eq!(names(command), expected, "{command}");
        }
    }
}
