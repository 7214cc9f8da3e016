//! Reads `[match]` and `[rewrite]`, and refuses a rewrite that would find something to do in its own result.

use super::{DISTROS, Glob, Match, Pattern, Rewrite};
use crate::rule::name::{self, UnknownName};
use crate::rule::read::{Fault, Item, Table};

/// The instructions that `instruction` and `keyword` may name.
const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Pattern {
    /// Reads `[match]`, `[rewrite]` and `message`.
    pub(in crate::rule) fn parse(
        on: Item<'_>,
        rewrite: Option<Item<'_>>,
        message: Option<Item<'_>>,
    ) -> Result<Self, Fault> {
        let line = on.line;
        let on = read_match(on.table()?)?;
        let message = message.map(Item::string).transpose()?;
        if rewrite.is_none() && message.is_none() {
            return Err(Fault::new(line, "without `[rewrite]`, `message` is needed"));
        }
        let rewrite = rewrite
            .map(|rewrite| read_rewrite(rewrite.table()?, &on))
            .transpose()?;
        Ok(Self {
            on,
            rewrite,
            message,
        })
    }
}

fn read_match(table: Table<'_>) -> Result<Match, Fault> {
    let mut table = table.only(&[
        "instruction",
        "command",
        "flag",
        "lacks-flag",
        "value",
        "distro",
        "user",
        "stage",
        "base",
    ])?;
    let on = Match {
        instruction: table.need("instruction").and_then(keyword)?,
        command: table.take("command").map_or(Ok(Vec::new()), words)?,
        flag: table.take("flag").map_or(Ok(Vec::new()), flags)?,
        lacks_flag: table.take("lacks-flag").map_or(Ok(Vec::new()), flags)?,
        value: table.take("value").map(glob).transpose()?,
        distro: table.take("distro").map_or(Ok(Vec::new()), distros)?,
        user: table.take("user").map(Item::string).transpose()?,
        shipped: table.take("stage").map_or(Ok(false), shipped)?,
        base: table.take("base").map(glob).transpose()?,
    };
    if !on.command.is_empty() && on.instruction != "RUN" {
        return Err(Fault::new(
            table.line,
            "`match.command` needs `instruction = \"RUN\"`",
        ));
    }
    Ok(on)
}

fn read_rewrite(table: Table<'_>, on: &Match) -> Result<Rewrite, Fault> {
    let mut table = table.only(&[
        "add-flag",
        "drop-flag",
        "keyword",
        "command",
        "append-command",
        "delete",
        "base",
    ])?;
    let rewrite = Rewrite {
        add_flag: table.take("add-flag").map(flag).transpose()?,
        drop_flag: table.take("drop-flag").map(flag).transpose()?,
        keyword: table.take("keyword").map(keyword).transpose()?,
        command: table
            .take("command")
            .map_or(Ok(Vec::new()), Item::strings)?,
        append_command: table
            .take("append-command")
            .map_or(Ok(Vec::new()), Item::strings)?,
        delete: table.take("delete").map_or(Ok(false), Item::boolean)?,
        base: table.take("base").map(Item::string).transpose()?,
    };
    match rewrite.fault(on) {
        Some(message) => Err(Fault::new(table.line, message)),
        None => Ok(rewrite),
    }
}

impl Rewrite {
    /// What is wrong with it beside `on`: mostly, what would keep a second run from finding nothing to do.
    fn fault(&self, on: &Match) -> Option<&'static str> {
        let flags = self.add_flag.is_some() || self.drop_flag.is_some();
        let kinds = [
            flags,
            self.keyword.is_some(),
            !self.command.is_empty(),
            !self.append_command.is_empty(),
            self.delete,
            self.base.is_some(),
        ];
        if kinds.iter().filter(|given| **given).count() != 1 {
            return Some("`rewrite` does one thing (or `drop-flag` and `add-flag`)");
        }
        if self
            .add_flag
            .as_ref()
            .is_some_and(|flag| !names(&on.lacks_flag, flag))
        {
            return Some(
                "`match.lacks-flag` must name `rewrite.add-flag`, else each run adds it again",
            );
        }
        if self
            .drop_flag
            .as_ref()
            .is_some_and(|flag| !names(&on.flag, flag))
        {
            return Some("`match.flag` must name `rewrite.drop-flag`");
        }
        let on_command = !self.command.is_empty() || !self.append_command.is_empty();
        if on_command && on.command.is_empty() {
            return Some("`rewrite.command` and `rewrite.append-command` need `match.command`");
        }
        let again = |name| on.command.first().is_some_and(|words| words.contains(name));
        if self.command.first().is_some_and(again) {
            return Some("`rewrite.command` is matched again: each run would rewrite it");
        }
        if self.keyword.as_ref() == Some(&on.instruction) {
            return Some("`rewrite.keyword` is the keyword that is matched");
        }
        self.base.as_ref().and_then(|base| fault_of_base(base, on))
    }
}

fn fault_of_base(base: &str, on: &Match) -> Option<&'static str> {
    let Some(glob) = on.base.as_ref().filter(|_| on.instruction == "FROM") else {
        return Some("`rewrite.base` needs `instruction = \"FROM\"` and `match.base`");
    };
    if base.matches('*').count() > usize::from(glob.tail.is_some()) {
        return Some("`rewrite.base` has a `*` for which `match.base` has none");
    }
    let (short, full) = (base.replace('*', "x"), in_full(&base.replace('*', "x")));
    (glob.matches(&short) || glob.matches(&full))
        .then_some("`rewrite.base` is matched again: each run would rewrite it")
}

/// The name of an image with its registry: Docker Hub's where the first part is no host, and its `library` where
/// there is one part only.
fn in_full(name: &str) -> String {
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
    }
}

/// Whether one of `flags` has the name of `flag`, values left out.
fn names(flags: &[String], flag: &str) -> bool {
    let name = |flag: &str| flag.split('=').next().map(str::to_owned);
    flags.iter().any(|other| name(other) == name(flag))
}

fn keyword(item: Item<'_>) -> Result<String, Fault> {
    let line = item.line;
    let found = name::find("instruction", &item.string()?, &KEYWORDS);
    found
        .map(str::to_owned)
        .map_err(|unknown| Fault::new(line, unknown))
}

fn words(item: Item<'_>) -> Result<Vec<Vec<String>>, Fault> {
    let (line, key) = (item.line, item.key.clone());
    let words: Vec<Vec<String>> = item
        .list()
        .into_iter()
        .map(Item::strings)
        .collect::<Result<_, _>>()?;
    let blank = |word: &String| word.is_empty() || word.contains(char::is_whitespace);
    if words.is_empty()
        || words
            .iter()
            .any(|any| any.is_empty() || any.iter().any(blank))
    {
        let message = format!("`{key}` is a list of words without blanks");
        return Err(Fault::new(line, message));
    }
    Ok(words)
}

fn flag(item: Item<'_>) -> Result<String, Fault> {
    let (line, key) = (item.line, item.key.clone());
    let flag = item.string()?;
    if !flag.starts_with('-') || flag.contains(char::is_whitespace) {
        let message = format!("`{key}` is one word that starts with `-`");
        return Err(Fault::new(line, message));
    }
    Ok(flag)
}

fn flags(item: Item<'_>) -> Result<Vec<String>, Fault> {
    item.list().into_iter().map(flag).collect()
}

fn glob(item: Item<'_>) -> Result<Glob, Fault> {
    let (line, key) = (item.line, item.key.clone());
    Glob::new(&item.string()?)
        .ok_or_else(|| Fault::new(line, format!("`{key}` has more than one `*`")))
}

fn distros(item: Item<'_>) -> Result<Vec<String>, Fault> {
    let distro = |item: Item<'_>| {
        let line = item.line;
        let found = name::find("distribution", &item.string()?, &DISTROS);
        found
            .map(str::to_owned)
            .map_err(|unknown| Fault::new(line, unknown))
    };
    item.list().into_iter().map(distro).collect()
}

fn shipped(item: Item<'_>) -> Result<bool, Fault> {
    let line = item.line;
    match item.string()?.as_str() {
        "shipped" => Ok(true),
        other => {
            let unknown = UnknownName::new("stage", other, ["shipped".to_owned()]);
            Err(Fault::new(line, unknown))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::read::Lines;

    fn pattern(text: &str) -> Result<Pattern, Fault> {
        let lines = Lines::new(text);
        let mut table = Table::parse(text, &lines)?;
        let on = table.need("match")?;
        Pattern::parse(on, table.take("rewrite"), table.take("message"))
    }

    #[track_caller]
    fn check_error(text: &str, line: u32, message: &str) {
        assert_eq!(pattern(text).unwrap_err(), Fault::new(line, message));
    }

    #[test]
    fn every_key_is_read() {
        let text = "\
message = 'a build tool'
[match]
instruction = 'RUN'
command = ['apt', ['install', 'add']]
flag = '-y'
lacks-flag = ['-q', '--quiet']
value = 'gcc*'
distro = ['debian', 'ubuntu']
user = 'root'
stage = 'shipped'
base = 'python'
[rewrite]
append-command = ['apt-get', 'clean']
";
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = Pattern {
            on: Match {
                instruction: "RUN".to_owned(),
                command: vec![words(&["apt"]), words(&["install", "add"])],
                flag: words(&["-y"]),
                lacks_flag: words(&["-q", "--quiet"]),
                value: Glob::new("gcc*"),
                distro: words(&["debian", "ubuntu"]),
                user: Some("root".to_owned()),
                shipped: true,
                base: Glob::new("python"),
            },
            rewrite: Some(Rewrite {
                append_command: words(&["apt-get", "clean"]),
                ..Rewrite::default()
            }),
            message: Some("a build tool".to_owned()),
        };
        assert_eq!(pattern(text), Ok(expected));
    }

    #[test]
    fn values_are_held_against_their_lists() {
        let from = "[match]\ninstruction = 'FROM'\n";
        let unknown = pattern("[match]\ninstruction = 'from'").unwrap_err();
        assert!(
            unknown.message.starts_with("unknown instruction `from`"),
            "{unknown:?}"
        );
        check_error(
            &format!("message = 'm'\n{from}stage = 'ships'"),
            4,
            "unknown stage `ships` (allowed: `shipped`)",
        );
        let unknown = pattern(&format!("{from}distro = ['debain']")).unwrap_err();
        assert!(
            unknown
                .message
                .starts_with("unknown distribution `debain`, did you mean `debian`?")
        );
        check_error(
            &format!("{from}base = '*:*'"),
            3,
            "`match.base` has more than one `*`",
        );
        check_error(
            &format!("{from}flag = 'platform'"),
            3,
            "`match.flag` is one word that starts with `-`",
        );
        check_error(
            &format!("{from}command = ['apt']"),
            1,
            "`match.command` needs `instruction = \"RUN\"`",
        );
        check_error(
            "[match]\ninstruction = 'RUN'\ncommand = ['apt-get install']",
            3,
            "`match.command` is a list of words without blanks",
        );
    }

    #[test]
    fn a_rewrite_leaves_nothing_to_rewrite_again() {
        let run = "[match]\ninstruction = 'RUN'\ncommand = ['apt', 'install']\n[rewrite]\n";
        let from = "[match]\ninstruction = 'FROM'\nbase = 'docker.io/*'\n[rewrite]\n";
        check_error(
            &format!("{run}add-flag = '-y'"),
            4,
            "`match.lacks-flag` must name `rewrite.add-flag`, else each run adds it again",
        );
        check_error(
            &format!("{run}drop-flag = '-y'"),
            4,
            "`match.flag` must name `rewrite.drop-flag`",
        );
        check_error(
            &format!("{run}command = ['apt', '-q']"),
            4,
            "`rewrite.command` is matched again: each run would rewrite it",
        );
        check_error(
            &format!("{run}keyword = 'RUN'"),
            4,
            "`rewrite.keyword` is the keyword that is matched",
        );
        check_error(
            &format!("{from}base = 'mirror/*'"),
            4,
            "`rewrite.base` is matched again: each run would rewrite it",
        );
        assert!(pattern(&format!("{from}base = 'mirror.example.com/*'")).is_ok());
        check_error(
            &format!("{from}base = '*/*'"),
            4,
            "`rewrite.base` has a `*` for which `match.base` has none",
        );
    }

    #[test]
    fn a_rewrite_does_one_thing_to_what_is_matched() {
        let run = "[match]\ninstruction = 'RUN'\n[rewrite]\n";
        check_error(
            run,
            3,
            "`rewrite` does one thing (or `drop-flag` and `add-flag`)",
        );
        check_error(
            &format!("{run}delete = true\nkeyword = 'COPY'"),
            3,
            "`rewrite` does one thing (or `drop-flag` and `add-flag`)",
        );
        check_error(
            &format!("{run}append-command = ['apt-get', 'clean']"),
            3,
            "`rewrite.command` and `rewrite.append-command` need `match.command`",
        );
        check_error(
            &format!("{run}base = 'python'"),
            3,
            "`rewrite.base` needs `instruction = \"FROM\"` and `match.base`",
        );
        check_error(
            "[match]\ninstruction = 'RUN'",
            1,
            "without `[rewrite]`, `message` is needed",
        );
    }
}
