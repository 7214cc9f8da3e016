//! What a project has for development, and whether what runs behind its install needs that, as far as the file and the
//! scripts of the project tell. A script that cannot be read may need it.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use super::project_place::{Place, first_words};
use super::runs::Step;
use crate::context::path;
use crate::model::managers::{Role, by_name, invocation};
use crate::project::Project;
use crate::project::node::PackageJson;
use crate::syntax::shell::Command;
use crate::syntax::{Args, Keyword};

/// What a project has for development, and its scripts.
#[derive(Default)]
pub struct Development {
    /// The packages, as the manifest names them.
    pub packages: BTreeSet<String>,
    /// Further commands that scripts of the manifest find, each with its package.
    pub commands: BTreeMap<String, String>,
    /// The scripts of the manifest, by name.
    pub scripts: BTreeMap<String, Vec<String>>,
    /// Those that the install runs.
    pub lifecycle: Vec<(String, String)>,
    /// The packages for production.
    pub production: BTreeSet<String>,
}

impl Development {
    /// Of a project of Node with the members of its workspace, whose install runs the scripts of its own, or leaves them
    /// alone. Members that cannot be read have nothing.
    pub fn of_node(package: &PackageJson, project: &Project<'_>, runs_scripts: bool) -> Self {
        let members = project.node_member_packages().unwrap_or_default();
        let all = || iter::once(package).chain(members.iter().map(|(_, member)| member));
        let needed = all().flat_map(|one| {
            let optional = one.optional_dependencies.keys();
            one.dependencies.keys().chain(optional)
        });
        let needed: BTreeSet<&String> = needed.collect();
        let names = all().flat_map(|one| one.dev_dependencies.keys());
        let lock = project.package_lock().ok().flatten();
        let scripts = package.scripts.iter();
        let lifecycle = package.lifecycle_scripts().filter(|_| runs_scripts);
        Self {
            packages: names
                .filter(|name| !needed.contains(name))
                .cloned()
                .collect(),
            commands: lock
                .map(|lock| lock.development_commands.clone())
                .unwrap_or_default(),
            scripts: scripts
                .map(|(name, text)| (name.clone(), vec![text.clone()]))
                .collect(),
            lifecycle: lifecycle
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
            production: all()
                .flat_map(|one| one.dependencies.keys().cloned())
                .collect(),
        }
    }
}

/// What is known of a package manager's ecosystem.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The package manager's name in the table.
    pub manager: &'a str,
    /// Programs that load development packages when they run in a later step.
    pub builders: &'a [String],
    /// The commands of packages that are not called like their package.
    pub commands: &'a BTreeMap<String, Vec<String>>,
}

/// Programs that run a script of the manifest.
const RUNNERS: [&str; 9] = [
    "npm",
    "yarn",
    "pnpm",
    "bun",
    "composer",
    "run-s",
    "run-p",
    "npm-run-all",
    "concurrently",
];

/// Words that speak of work on the program, not of the program.
const WORK: [&str; 8] = [
    "build",
    "dev",
    "develop",
    "development",
    "lint",
    "test",
    "watch",
    "start:dev",
];

/// When something runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In a later step.
    Build,
    /// In the container.
    Start,
    /// With the install.
    Install,
}

/// Whether something uses what a project has for development.
pub struct Uses<'a> {
    known: Tools<'a>,
    development: &'a Development,
    /// Commands and names of packages for development, each with its package.
    tools: BTreeMap<String, String>,
}

impl<'a> Uses<'a> {
    /// Of this project, whose manager these tools go with.
    pub fn new(known: Tools<'a>, development: &'a Development) -> Self {
        let mut tools = BTreeMap::new();
        for package in &development.packages {
            tools.insert(package.clone(), package.clone());
            let own = match known.commands.get(package) {
                Some(commands) => commands.clone(),
                None => vec![path::file_name(package).to_owned()],
            };
            tools.extend(own.into_iter().map(|command| (command, package.clone())));
        }
        Self {
            known,
            development,
            tools,
        }
    }

    /// A step behind the install does not use it.
    ///
    /// # Errors
    /// What does, or may.
    pub fn step(&self, place: Place<'_>) -> Result<(), String> {
        let step = place.step();
        let instruction = step.instruction;
        match instruction.keyword {
            Keyword::Run => match step.script() {
                Some(script) => {
                    let commands = script.commands();
                    commands
                        .into_iter()
                        .try_for_each(|at| self.command(at.command, place))
                }
                None => self.read(&line_of(step), &shown_of(&line_of(step)), When::Build),
            },
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck => {
                let line = line_of(step);
                self.files(&line, place)?;
                self.read(&line, &format!("`{}`", first_words(&line)), When::Start)
            }
            Keyword::Onbuild => self.read(&line_of(step), &shown_of(&line_of(step)), When::Build),
            _ => Ok(()),
        }
    }

    /// A command of a RUN behind the install does not use it.
    ///
    /// # Errors
    /// It does, or may.
    pub fn command(&self, command: &Command, place: Place<'_>) -> Result<(), String> {
        let words = command.words.iter();
        let words: Vec<&str> = words
            .map(|word| word.literal.as_deref().unwrap_or(&word.text))
            .collect();
        let line = words.join(" ");
        let shown = shown_of(&line);
        self.read(&line, &shown, When::Build)?;
        let kind = by_name(self.known.manager).map(|manager| manager.kind);
        let one = invocation(&command.words).filter(|one| Some(one.manager.kind) == kind);
        let role = one.as_ref().map(|one| one.role);
        let name = words
            .iter()
            .map(|word| path::file_name(word))
            .find(|word| *word != "sudo");
        if role == Some(Role::Remove) && line.contains("prune") {
            return Err(format!("{shown} removes development packages"));
        }
        let may = matches!(role, Some(Role::Run | Role::Build | Role::Other))
            || name.is_some_and(|name| self.known.builders.iter().any(|one| one == name));
        match may {
            true => Err(format!("{shown} may need development packages")),
            false => self.files(&line, place),
        }
    }

    /// Scripts of the build context that a line runs.
    fn files(&self, line: &str, place: Place<'_>) -> Result<(), String> {
        let mut words = tokens(line).into_iter().peekable();
        let first = words.peek().copied().unwrap_or_default();
        if matches!(path::file_name(first), "make" | "gmake") {
            return Err(format!("what `{}` does is not known", first_words(line)));
        }
        let is_plain = matches!(
            first,
            "chmod" | "chown" | "rm" | "cp" | "mv" | "sed" | "ln" | "dos2unix" | "install"
        );
        for word in words.filter(|_| !is_plain) {
            let is_entry = path::file_name(word) == "docker-entrypoint.sh";
            let is_script = word.ends_with(".sh") || word == first && word.starts_with("./");
            let is_code = word.ends_with(".js") || word.ends_with(".mjs") || word.ends_with(".cjs");
            if !is_script && !is_code {
                continue;
            }
            let shown = format!("`{word}`");
            match self.text_of(word, place) {
                Some(text) if is_code => self.names(&text, &shown)?,
                Some(text) => {
                    let code = text
                        .lines()
                        .filter(|line| !line.trim_start().starts_with('#'));
                    let code = code.collect::<Vec<_>>().join("\n");
                    self.read(&code, &shown, When::Install)?;
                }
                None if is_code || is_entry => {}
                None => return Err(format!("what {shown} does is not known")),
            }
        }
        Ok(())
    }

    fn text_of(&self, word: &str, place: Place<'_>) -> Option<String> {
        let end = Place {
            step: place.step,
            ..place
        };
        let workdir = place.step().before.workdir().unwrap_or("/");
        let here = path::clean(&format!("{workdir}/{word}"));
        let candidates = match word.starts_with('/') {
            true => vec![path::clean(word)],
            false => vec![
                here,
                format!("/usr/local/bin/{word}"),
                format!("/{word}"),
                format!("/usr/bin/{word}"),
            ],
        };
        candidates.iter().find_map(|one| end.text(one))
    }

    /// A program's file names no package for development.
    ///
    /// # Errors
    /// Which one it names.
    pub fn names(&self, text: &str, shown: &str) -> Result<(), String> {
        let named = |package: &&String| {
            ["'", "\""].iter().any(|quote| {
                text.contains(&format!("{quote}{package}{quote}"))
                    || text.contains(&format!("{quote}{package}/"))
            })
        };
        match self.development.packages.iter().find(named) {
            Some(package) => Err(format!("{shown} names `{package}`, a development package")),
            None => Ok(()),
        }
    }

    /// Shell text: neither it nor the scripts that it runs use a development package.
    ///
    /// # Errors
    /// Which one is used.
    pub fn read(&self, text: &str, shown: &str, when: When) -> Result<(), String> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut pending = vec![text];
        let mut works = false;
        while let Some(one) = pending.pop() {
            let words = tokens(one);
            let in_script = !seen.is_empty() || when == When::Install;
            if let Some((word, package)) = self.first_tool(&words, in_script) {
                let command = word.rsplit_once("bin/").map_or(word, |(_, name)| name);
                return Err(format!(
                    "{shown} runs `{command}` of the development package `{package}`"
                ));
            }
            works |= speaks_of_work(&words);
            let scripts = self.scripts_run(&words);
            let scripts = scripts.map_err(|script| {
                format!("{shown} runs the script `{script}`, which is not there")
            })?;
            for script in scripts {
                if let Some((name, texts)) = self.development.scripts.get_key_value(script)
                    && seen.insert(name)
                {
                    pending.extend(texts.iter().map(String::as_str));
                }
            }
        }
        match when == When::Start && works {
            true => Err(format!("{shown} builds or tests in the container")),
            false => Ok(()),
        }
    }

    fn first_tool<'w>(&self, words: &[&'w str], in_script: bool) -> Option<(&'w str, &String)> {
        let mut words = words.iter();
        words.find_map(|word| Some((*word, self.tool(word, in_script)?)))
    }

    /// The development package that a word is a command of.
    fn tool(&self, word: &str, in_script: bool) -> Option<&String> {
        let name = match word
            .rsplit_once("/.bin/")
            .or(word.rsplit_once("vendor/bin/"))
        {
            Some((_, name)) => name,
            None => word,
        };
        let by_lock = || {
            self.development
                .commands
                .get(name)
                .filter(|_| in_script || name != word)
        };
        let inside = || {
            // `ts-node/register`, `@babel/node/lib`.
            let mut ends = name.match_indices('/').map(|(at, _)| &name[..at]);
            ends.find_map(|package| self.tools.get(package))
        };
        self.tools.get(name).or_else(by_lock).or_else(inside)
    }

    /// The scripts of the manifest that the words run.
    ///
    /// # Errors
    /// The name of one that is not there.
    fn scripts_run<'w>(&'w self, words: &[&'w str]) -> Result<Vec<&'w str>, &'w str> {
        let scripts = &self.development.scripts;
        let mut found = Vec::new();
        for (at, word) in words.iter().enumerate() {
            // `concurrently npm:serve`, and composer's `@check`.
            found.extend(word.strip_prefix("npm:").or(word.strip_prefix('@')));
            if !RUNNERS.contains(&path::file_name(word)) {
                continue;
            }
            let several = !matches!(*word, "npm" | "yarn" | "pnpm" | "bun" | "composer");
            let mut behind = words[at + 1..].iter().filter(|word| !word.starts_with('-'));
            if several {
                found.extend(behind.flat_map(|word| named_by(scripts, word)));
                continue;
            }
            match behind.next().copied() {
                Some("run" | "run-script") => match behind.next() {
                    Some(script) if !scripts.contains_key(*script) => return Err(script),
                    script => found.extend(script),
                },
                Some(name) if scripts.contains_key(name) => found.push(name),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// The scripts of that name, or those of a pattern (`serve:*`).
fn named_by<'s>(
    scripts: &'s BTreeMap<String, Vec<String>>,
    word: &'s str,
) -> impl Iterator<Item = &'s str> {
    let stem = word.split_once('*').map(|(stem, _)| stem);
    let names = scripts.keys().map(String::as_str);
    names.filter(move |name| *name == word || stem.is_some_and(|stem| name.starts_with(stem)))
}

/// Whether a text builds, tests or watches, or asks for the mode in which that is done.
fn speaks_of_work(words: &[&str]) -> bool {
    let mode =
        |word: &&str| word.ends_with("NODE_ENV=development") || word.ends_with("NODE_ENV=dev");
    let works = |pair: &[&str]| !pair[0].starts_with('-') && WORK.contains(&pair[1]);
    words.iter().any(mode) || words.windows(2).any(works)
}

/// The words of a shell text, without quotes and operators.
pub fn tokens(text: &str) -> Vec<&str> {
    let ends = |ch: char| ch.is_whitespace() || "'\"`;&|(){}[],".contains(ch);
    text.split(ends).filter(|word| !word.is_empty()).collect()
}

/// The command of an instruction as one line.
fn line_of(step: &Step<'_>) -> String {
    let instruction = step.instruction;
    match &instruction.args {
        Args::Exec(words) => {
            let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            words.join(" ")
        }
        _ => String::from_utf8_lossy(instruction.args_text()).into_owned(),
    }
}

fn shown_of(line: &str) -> String {
    format!("`{}`, which follows,", first_words(line))
}
