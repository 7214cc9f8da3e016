//! What BuildKit refuses after parsing: flags, numbers of arguments, names (its `instructions.Parse`).

use std::collections::HashSet;

use super::heredoc;
use super::{Args, Dockerfile, Flag, Instruction, Keyword, SyntaxError};

/// Every instruction that BuildKit would refuse, with the reason.
pub(super) fn instructions(file: &Dockerfile) -> Vec<SyntaxError> {
    let parsed: HashSet<_> = file.errors.iter().map(|error| error.span.start).collect();
    let mut in_stage = false;
    let mut errors = Vec::new();
    for instruction in file.instructions() {
        in_stage |= instruction.keyword == Keyword::From;
        if parsed.contains(&instruction.span.start) {
            continue;
        }
        let outside = !in_stage && instruction.keyword != Keyword::Arg;
        let refused = instruction_error(instruction)
            .or_else(|| outside.then(|| "no build stage in current context".to_owned()));
        if let Some(message) = refused {
            errors.push(SyntaxError {
                message,
                span: instruction.span,
                lines: instruction.lines,
            });
        }
    }
    errors
}

fn instruction_error(instruction: &Instruction) -> Option<String> {
    use Keyword as K;
    let keyword = instruction.keyword;
    match keyword {
        K::From => from(instruction),
        K::Add | K::Copy => copy(instruction),
        K::Run => flags(instruction, RUN).or_else(|| run_values(instruction)),
        K::Cmd | K::Entrypoint => flags(instruction, &[]),
        K::Env | K::Label => flags(instruction, &[]).or_else(|| pairs(instruction)),
        K::Maintainer | K::User | K::Workdir => {
            exactly_one(instruction).or_else(|| flags(instruction, &[]))
        }
        K::Stopsignal => exactly_one(instruction),
        K::Expose => at_least_one(instruction).or_else(|| flags(instruction, &[])),
        K::Volume => at_least_one(instruction)
            .or_else(|| flags(instruction, &[]))
            .or_else(|| volume(instruction)),
        K::Arg => at_least_one(instruction).or_else(|| arg(instruction)),
        K::Healthcheck => healthcheck(instruction),
        K::Onbuild => onbuild(instruction),
        K::Shell => flags(instruction, &[]).or_else(|| shell(instruction)),
        K::Unknown => Some(format!(
            "unknown instruction: `{}`",
            instruction.keyword_text()
        )),
    }
}

/// How a flag is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Bool,
    Repeatable,
}

const FROM: &[(&str, Kind)] = &[("platform", Kind::Text)];
const RUN: &[(&str, Kind)] = &[
    ("mount", Kind::Repeatable),
    ("network", Kind::Text),
    ("security", Kind::Text),
    ("device", Kind::Repeatable),
];
const COPY: &[(&str, Kind)] = &[
    ("from", Kind::Text),
    ("chown", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Bool),
    ("parents", Kind::Bool),
    ("exclude", Kind::Repeatable),
];
const ADD: &[(&str, Kind)] = &[
    ("chown", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Bool),
    ("keep-git-dir", Kind::Bool),
    ("checksum", Kind::Text),
    ("unpack", Kind::Bool),
    ("exclude", Kind::Repeatable),
];
const HEALTHCHECK: &[(&str, Kind)] = &[
    ("interval", Kind::Text),
    ("timeout", Kind::Text),
    ("start-period", Kind::Text),
    ("start-interval", Kind::Text),
    ("retries", Kind::Text),
];

fn flags(instruction: &Instruction, allowed: &[(&str, Kind)]) -> Option<String> {
    let mut seen: Vec<&str> = Vec::new();
    for flag in &instruction.flags {
        let name = flag.name.as_str();
        let Some((_, kind)) = allowed.iter().find(|(known, _)| *known == name) else {
            return Some(format!("unknown flag: `--{name}`"));
        };
        if *kind != Kind::Repeatable && seen.contains(&name) {
            return Some(format!("duplicate flag: `--{name}`"));
        }
        seen.push(name);
        if let Some(error) = flag_value(flag, *kind) {
            return Some(error);
        }
    }
    None
}

fn flag_value(flag: &Flag, kind: Kind) -> Option<String> {
    let name = &flag.name;
    match (kind, flag.value.as_deref()) {
        (Kind::Bool, None) => None,
        (Kind::Bool, Some(value)) if !value.is_empty() => {
            let known = matches!(value.to_lowercase().as_str(), "true" | "false");
            (!known).then(|| format!("`--{name}` must be true or false, not `{value}`"))
        }
        (Kind::Text | Kind::Repeatable, Some(_)) => None,
        _ => Some(format!("missing a value on flag `--{name}`")),
    }
}

fn from(instruction: &Instruction) -> Option<String> {
    let name = match instruction.words() {
        [_] => None,
        [_, word, name] if word.text.eq_ignore_ascii_case("as") => Some(&name.text),
        _ => return Some("FROM requires either one or three arguments".to_owned()),
    };
    let invalid = name.filter(|name| !is_stage_name(&name.to_lowercase()));
    if let Some(name) = invalid {
        let rule = "it starts with a letter, and holds letters, digits, `-`, `_` and `.`";
        return Some(format!("invalid name for build stage: `{name}`; {rule}"));
    }
    flags(instruction, FROM)
}

/// `^[a-z][a-z0-9-_.]*$`, after lower-casing.
fn is_stage_name(name: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(plain)
}

fn copy(instruction: &Instruction) -> Option<String> {
    let keyword = instruction.keyword;
    let [_, .., destination] = instruction.words() else {
        return Some(format!(
            "{keyword} requires at least two arguments: a source and a destination"
        ));
    };
    let allowed = match keyword {
        Keyword::Copy => COPY,
        _ => ADD,
    };
    flags(instruction, allowed).or_else(|| {
        heredoc::opener(&destination.text)
            .map(|_| format!("{keyword} cannot accept a heredoc as a destination"))
    })
}

fn run_values(instruction: &Instruction) -> Option<String> {
    let value = |name: &str, allowed: &[&str]| {
        let given = instruction.flag(name)?.value.clone()?;
        let known = allowed.contains(&given.as_str());
        (!known).then(|| format!("invalid value of `--{name}`: `{given}`"))
    };
    value("network", &["default", "none", "host"])
        .or_else(|| value("security", &["insecure", "sandbox"]))
        .or_else(|| csv_flags(instruction))
}

fn csv_flags(instruction: &Instruction) -> Option<String> {
    let flags = instruction.flags.iter();
    let values = flags.filter(|flag| matches!(flag.name.as_str(), "mount" | "device"));
    for flag in values {
        let value = flag.value.as_deref().unwrap_or_default();
        let name = &flag.name;
        let Some(fields) = csv_fields(value) else {
            return Some(format!("`--{name}` is not a list of fields: `{value}`"));
        };
        let from = fields.iter().find_map(|field| {
            let (key, value) = field.split_once('=')?;
            key.eq_ignore_ascii_case("from").then_some(value)
        });
        // A `$` that ends the value is no variable.
        let variable = from.and_then(|from| Some((from, from.find('$')?)));
        if variable.is_some_and(|(from, at)| at + 1 != from.len()) && name == "mount" {
            return Some("`from` of `--mount` takes no variable: define an alias stage".to_owned());
        }
    }
    None
}

/// The fields of one line of CSV, as Go reads them; `None` where a quote stands where it must not, or for no text.
pub(crate) fn csv_fields(line: &str) -> Option<Vec<String>> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    if line.is_empty() {
        return None;
    }
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(quoted)?;
            fields.push(field);
            if after.is_empty() {
                return Some(fields);
            }
            rest = after.strip_prefix(',')?;
            continue;
        }
        let (field, after) = rest
            .split_once(',')
            .map_or((rest, None), |(f, a)| (f, Some(a)));
        if field.contains('"') {
            return None;
        }
        fields.push(field.to_owned());
        match after {
            Some(after) => rest = after,
            None => return Some(fields),
        }
    }
}

/// A quoted field behind its opening quote, and what follows its closing quote.
fn quoted_field(mut rest: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    loop {
        let (text, after) = rest.split_once('"')?;
        field.push_str(text);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, after)),
        }
    }
}

fn pairs(instruction: &Instruction) -> Option<String> {
    let keyword = instruction.keyword;
    if instruction.pairs().is_empty() {
        return Some(format!("{keyword} requires at least one argument"));
    }
    let blank = instruction
        .pairs()
        .iter()
        .any(|pair| pair.key.text.is_empty());
    blank.then(|| format!("{keyword} names can not be blank"))
}

fn exactly_one(instruction: &Instruction) -> Option<String> {
    let one = instruction.words().len() == 1;
    (!one).then(|| format!("{} requires exactly one argument", instruction.keyword))
}

fn at_least_one(instruction: &Instruction) -> Option<String> {
    let none = instruction.words().is_empty();
    none.then(|| format!("{} requires at least one argument", instruction.keyword))
}

fn volume(instruction: &Instruction) -> Option<String> {
    let mut words = instruction.words().iter();
    words
        .any(|word| word.text.trim().is_empty())
        .then(|| "VOLUME can not be an empty string".to_owned())
}

fn arg(instruction: &Instruction) -> Option<String> {
    let mut words = instruction.words().iter();
    words
        .any(|word| word.text.starts_with('='))
        .then(|| "ARG names can not be blank".to_owned())
}

fn shell(instruction: &Instruction) -> Option<String> {
    match &instruction.args {
        Args::Exec(words) if !words.is_empty() => None,
        Args::Shell if !instruction.args_text().is_empty() => {
            Some("SHELL requires the arguments to be in JSON form".to_owned())
        }
        _ => Some("SHELL requires at least one argument".to_owned()),
    }
}

fn onbuild(instruction: &Instruction) -> Option<String> {
    let Args::Onbuild(child) = &instruction.args else {
        return Some("ONBUILD requires at least one argument".to_owned());
    };
    flags(instruction, &[]).or_else(|| match child.keyword {
        Keyword::Onbuild => {
            Some("chaining ONBUILD via `ONBUILD ONBUILD` is not allowed".to_owned())
        }
        keyword @ (Keyword::From | Keyword::Maintainer) => {
            Some(format!("{keyword} is not allowed as an ONBUILD trigger"))
        }
        _ => None,
    })
}

fn healthcheck(instruction: &Instruction) -> Option<String> {
    let Args::Healthcheck {
        kind,
        exec,
        command_start,
    } = &instruction.args
    else {
        return Some("HEALTHCHECK requires at least one argument".to_owned());
    };
    let end = instruction.args_end as usize;
    let command = instruction.logical.text.get(*command_start as usize..end);
    let missing = match exec {
        Some(words) => words.is_empty(),
        None => command.unwrap_or_default().is_empty(),
    };
    match kind.text.to_uppercase().as_str() {
        "NONE" => (!missing).then(|| "HEALTHCHECK NONE takes no arguments".to_owned()),
        "CMD" => flags(instruction, HEALTHCHECK)
            .or_else(|| missing.then(|| "missing command after HEALTHCHECK CMD".to_owned()))
            .or_else(|| health_values(instruction)),
        other => flags(instruction, HEALTHCHECK)
            .or_else(|| Some(format!("unknown type `{other}` in HEALTHCHECK (try CMD)"))),
    }
}

fn health_values(instruction: &Instruction) -> Option<String> {
    instruction.flags.iter().find_map(|flag| {
        let value = flag.value.as_deref().filter(|value| !value.is_empty())?;
        let valid = match flag.name.as_str() {
            "retries" => value.parse::<i32>().is_ok_and(|retries| retries >= 0),
            _ => nanoseconds(value).is_some_and(|ns| ns == 0.0 || ns >= 1e6),
        };
        (!valid).then(|| format!("invalid value of `--{}`: `{value}`", flag.name))
    })
}

/// A duration as Go's `time.ParseDuration` reads it, in nanoseconds.
pub(crate) fn nanoseconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    let mut total = 0.0;
    loop {
        let number = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.');
        let (number, after) = rest.split_at(number.count());
        number
            .contains(|c: char| c.is_ascii_digit())
            .then_some(())?;
        let unit = after
            .bytes()
            .take_while(|byte| !byte.is_ascii_digit() && *byte != b'.');
        let (unit, after) = after.split_at_checked(unit.count())?;
        let scale = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        let number = format!("0{number}0");
        let number = match number.contains('.') {
            true => number.parse::<f64>().ok()?,
            false => number[..number.len() - 1].parse::<f64>().ok()?,
        };
        total += number * scale;
        if after.is_empty() {
            return Some(sign * total);
        }
        rest = after;
    }
}
