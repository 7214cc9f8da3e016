//! What a makefile runs for a goal, and where its `install` puts files.
//!
//! Never runs it: a variable that is set twice, a function, or a command that is not known is a reason not to know.

use std::collections::{BTreeMap, BTreeSet};

use super::COMPILERS;
use crate::context::path;

/// Commands of recipes that make nothing which a program reads when it runs, beside compilers.
const BUILDS: [&str; 20] = [
    ":", "[", "ar", "as", "bison", "cd", "echo", "flex", "ld", "lex", "mkdir", "nasm", "printf",
    "ranlib", "rm", "strip", "test", "true", "windres", "yacc",
];

/// Those that put files somewhere.
const INSTALLS: [&str; 5] = ["chmod", "cp", "install", "ln", "mkdir"];

/// What make calls its tools.
const TOOLS: [(&str, &str); 11] = [
    ("AR", "ar"),
    ("CC", "cc"),
    ("CPP", "cc"),
    ("CXX", "c++"),
    ("INSTALL", "install"),
    ("INSTALL_DATA", "install -m 644"),
    ("INSTALL_PROGRAM", "install"),
    ("LD", "ld"),
    ("RANLIB", "ranlib"),
    ("RM", "rm -f"),
    ("STRIP", "strip"),
];

#[derive(Default)]
pub(super) struct Makefile {
    /// What each variable is set to; `None` where that is not known.
    variables: BTreeMap<String, Option<String>>,
    rules: Vec<Rule>,
}

/// What make does for its goals.
#[derive(Default)]
struct Reached {
    /// What is wanted, by the names in the makefile.
    wanted: BTreeSet<String>,
    /// The targets of the rules that run.
    ruled: BTreeSet<String>,
    commands: Vec<String>,
}

struct Rule {
    targets: Vec<String>,
    needs: Vec<String>,
    recipe: Vec<String>,
}

impl Makefile {
    /// Reads the text, with the variables that the command line sets.
    ///
    /// # Errors
    /// It is more than a makefile of rules and variables.
    pub(super) fn parse(text: &str, given: &[(String, String)]) -> Result<Self, String> {
        let mut makefile = Self::default();
        let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
        let mut depth = 0_usize;
        for line in text.lines() {
            if let Some(command) = line.strip_prefix('\t') {
                if let Some(rule) = makefile.rules.last_mut() {
                    rule.recipe.push(command.trim().to_owned());
                }
                continue;
            }
            let line = line.split('#').next().unwrap_or_default().trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            match line.split_whitespace().next() {
                None | Some("else" | "export") => {}
                Some("ifeq" | "ifneq" | "ifdef" | "ifndef") => depth += 1,
                Some("endif") => depth = depth.saturating_sub(1),
                Some("-include" | "sinclude") if line.contains(".d") || line.contains("DEP") => {}
                Some(
                    word @ ("include" | "-include" | "sinclude" | "define" | "vpath" | "override"),
                ) => {
                    return Err(format!("the makefile has `{word}`"));
                }
                Some(_) => makefile.line(line, given, depth == 0)?,
            }
        }
        for (name, value) in given {
            makefile.variables.insert(name.clone(), Some(value.clone()));
        }
        Ok(makefile)
    }

    fn line(
        &mut self,
        line: &str,
        given: &[(String, String)],
        is_certain: bool,
    ) -> Result<(), String> {
        let colon = rule_colon(line);
        let equals = line
            .find('=')
            .filter(|at| colon.is_none_or(|colon| *at < colon));
        if let Some(at) = equals {
            let name = line[..at].trim_end_matches([':', '?', '+', '!']).trim();
            if given.iter().any(|(one, _)| one == name) {
                return Ok(());
            }
            let value = line[at + 1..].trim().to_owned();
            match line[..at].chars().next_back() {
                Some('!') => return Err(format!("the makefile asks a program what `{name}` is")),
                Some('+') => {
                    let before = self.variables.get(name).cloned();
                    let before = before.unwrap_or_else(|| Some(String::new()));
                    let joined = before
                        .filter(|_| is_certain)
                        .map(|before| format!("{before} {value}"));
                    self.variables.insert(name.to_owned(), joined);
                }
                _ => {
                    let is_known = is_certain && !self.variables.contains_key(name);
                    self.variables
                        .insert(name.to_owned(), is_known.then_some(value));
                }
            }
            return Ok(());
        }
        let Some(at) = colon else {
            return Err(format!("`{line}` of the makefile is not understood"));
        };
        let (needs, recipe) = match line[at + 1..].split_once(';') {
            Some((needs, command)) => (needs, vec![command.trim().to_owned()]),
            None => (&line[at + 1..], Vec::new()),
        };
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        self.rules.push(Rule {
            targets: names(&line[..at]),
            needs: names(needs.trim_start_matches(':')),
            recipe,
        });
        Ok(())
    }

    /// The text with its variables expanded; `None` where one is not known, or is a function or the rule's own.
    pub(super) fn expand(&self, text: &str) -> Option<String> {
        self.expand_within(text, 8)
    }

    fn expand_within(&self, text: &str, depth: usize) -> Option<String> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            expanded.push_str(&rest[..at]);
            let closing = match rest[at + 1..].chars().next()? {
                '(' => ')',
                '{' => '}',
                _ => return None,
            };
            let end = at + rest[at..].find(closing)?;
            let name = &rest[at + 2..end];
            let tool = TOOLS.iter().find(|(tool, _)| *tool == name);
            let value = match self.variables.get(name) {
                Some(value) => value.as_deref()?,
                None if !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
                {
                    return None;
                }
                None if matches!(name, "MAKE" | "CURDIR" | "PWD" | "HOME") => return None,
                None => tool.map_or("", |(_, command)| command),
            };
            expanded.push_str(&self.expand_within(value, depth.checked_sub(1)?)?);
            rest = &rest[end + 1..];
        }
        expanded.push_str(rest);
        Some(expanded)
    }

    /// What make does for these goals, for the first target where there is none.
    fn reached(&self, goals: &[&str]) -> Reached {
        let is_plain = |rule: &&Rule| {
            let mut targets = rule.targets.iter();
            !targets.any(|one| one.starts_with('.') || one.contains('%'))
        };
        let mut reached = Reached::default();
        let first = self.rules.iter().find(is_plain);
        match goals {
            [] => reached.wanted.extend(
                first
                    .map(|rule| self.words(&rule.targets))
                    .unwrap_or_default(),
            ),
            goals => reached
                .wanted
                .extend(goals.iter().map(|goal| (*goal).to_owned())),
        }
        let mut used = BTreeSet::new();
        let mut before = 0;
        while used.len() + reached.wanted.len() > before {
            before = used.len() + reached.wanted.len();
            for (index, rule) in self.rules.iter().enumerate() {
                let targets = self.words(&rule.targets);
                let mut certain = targets.iter().filter(|one| reached.wanted.contains(*one));
                let is_certain = certain.next().is_some();
                let is_general =
                    |target: &String| target.contains(['%', '$']) || target.starts_with('.');
                let is_declared = rule.recipe.is_empty() && targets.iter().all(is_general);
                if is_declared
                    || !is_certain && !targets.iter().any(is_general)
                    || !used.insert(index)
                {
                    continue;
                }
                reached.commands.extend(rule.recipe.iter().cloned());
                reached.wanted.extend(self.words(&rule.needs));
                if !rule.recipe.is_empty() {
                    reached.ruled.extend(targets);
                }
            }
        }
        reached
    }

    /// Words, with the variables in them expanded that are known.
    fn words(&self, words: &[String]) -> Vec<String> {
        let expand = |word: &String| self.expand(word).unwrap_or_else(|| word.clone());
        let text: Vec<String> = words.iter().map(expand).collect();
        text.join(" ")
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }

    /// The names of the files that the goals make: the targets of rules, those for which make has a rule of its own since a
    /// source is there, and what a compiler is told to make.
    pub(super) fn made(&self, goals: &[&str], is_there: impl Fn(&str) -> bool) -> Vec<String> {
        const SOURCES: [&str; 5] = ["c", "C", "cc", "cpp", "o"];
        let reached = self.reached(goals);
        let mut made: Vec<String> = reached.ruled.iter().cloned().collect();
        for name in reached.wanted.difference(&reached.ruled) {
            let is_source = |ending: &&str| {
                let source = format!("{name}.{ending}");
                is_there(&source) || reached.wanted.contains(&source)
            };
            if SOURCES.iter().any(is_source) {
                made.push(name.clone());
            }
        }
        for command in &reached.commands {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            let words = self.words(&words);
            let outputs = words.iter().zip(words.iter().skip(1));
            made.extend(
                outputs
                    .filter(|(word, _)| *word == "-o")
                    .map(|(_, name)| name.clone()),
            );
        }
        made.iter()
            .map(|name| path::file_name(name).to_owned())
            .collect()
    }

    /// What the goals run is a build, and makes nothing that a program reads when it runs.
    ///
    /// # Errors
    /// A command that may.
    pub(super) fn check(&self, goals: &[&str]) -> Result<(), String> {
        for words in self.simple(goals)? {
            let name = self.name(&words).ok_or_else(|| runs(&words[0]))?;
            if !BUILDS.contains(&name.as_str()) && !COMPILERS.contains(&name.as_str()) {
                return Err(runs(&name));
            }
        }
        Ok(())
    }

    /// Where `install` puts files: what is copied, and to which absolute path.
    ///
    /// # Errors
    /// That is not known.
    pub(super) fn installed(&self) -> Result<Vec<(Vec<String>, String)>, String> {
        let mut installed = Vec::new();
        for words in self.simple(&["install"])? {
            let name = self.name(&words).ok_or_else(|| runs(&words[0]))?;
            if INSTALLS.contains(&name.as_str()) {
                let unknown = || format!("where `{}` puts files is not known", words.join(" "));
                let expanded = self.expand(&words.join(" ")).ok_or_else(unknown)?;
                let placed = placed(&expanded).ok_or_else(unknown)?;
                let is_absolute = placed.iter().all(|(_, to)| to.starts_with('/'));
                // Directories for what is compiled.
                if !is_absolute && name == "mkdir" {
                    continue;
                }
                if !is_absolute {
                    return Err(unknown());
                }
                installed.extend(placed);
            } else if !BUILDS.contains(&name.as_str()) && !COMPILERS.contains(&name.as_str()) {
                return Err(runs(&name));
            }
        }
        match installed.is_empty() {
            true => Err("the makefile installs nothing".to_owned()),
            false => Ok(installed),
        }
    }

    /// The simple commands of the recipes, by words.
    fn simple(&self, goals: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let mut simple = Vec::new();
        for line in self.reached(goals).commands {
            let line = line
                .trim_start_matches(['@', '-', '+'])
                .replace("2>/dev/null", "");
            let line = line.replace(">/dev/null", "").replace("2>&1", "");
            if line.contains(['>', '`']) {
                return Err(runs(&line));
            }
            let parts = line.replace("&&", ";").replace("||", ";").replace('|', ";");
            for part in parts.split(';') {
                let words: Vec<String> = part.split_whitespace().map(str::to_owned).collect();
                if !words.is_empty() {
                    simple.push(words);
                }
            }
        }
        Ok(simple)
    }

    /// The name of the program that a command starts.
    fn name(&self, words: &[String]) -> Option<String> {
        let expanded = self.expand(&words[0])?;
        let mut words = expanded
            .split_whitespace()
            .map(str::to_owned)
            .chain(words[1..].iter().cloned());
        let first = words.find(|word| !word.contains('=') && word != "ccache")?;
        Some(path::file_name(first.trim_start_matches('@')).to_owned())
    }
}

/// The colon that ends the targets of a rule; none in `:=`.
fn rule_colon(line: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, ch) in line.char_indices() {
        match ch {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                let behind = line[at..].trim_start_matches(':');
                return (!behind.starts_with('=')).then_some(at);
            }
            _ => {}
        }
    }
    None
}

/// What a command that puts files somewhere copies, and to where.
fn placed(command: &str) -> Option<Vec<(Vec<String>, String)>> {
    let words: Vec<&str> = command
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']))
        .collect();
    let (name, words) = words.split_first()?;
    let name = path::file_name(name);
    let mut operands = Vec::new();
    let mut makes_directories = name == "mkdir";
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "-t" | "-T" | "-S" => return None,
            "-m" | "-o" | "-g" if name != "cp" => drop(words.next()?),
            "-d" if name == "install" => makes_directories = true,
            word if word.starts_with('-') => {}
            word => operands.push(word.to_owned()),
        }
    }
    if name == "chmod" {
        operands.drain(..operands.len().min(1));
    }
    if makes_directories || name == "chmod" {
        return Some(
            operands
                .into_iter()
                .map(|to| (Vec::new(), path_in(&to)))
                .collect(),
        );
    }
    let to = operands.pop()?;
    Some(vec![(operands, path_in(&to))])
}

/// The path without doubled slashes, with the last one.
fn path_in(to: &str) -> String {
    let is_directory = to.ends_with('/') && to.len() > 1;
    match to.starts_with('/') {
        true if is_directory => format!("{}/", path::clean(to)),
        true => path::clean(to),
        false => to.to_owned(),
    }
}

pub(super) fn runs(command: &str) -> String {
    format!("the makefile runs `{command}`, which may make what the program reads")
}
