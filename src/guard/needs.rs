//! What a RUN that only installs reads of the files of the project: the manifests that its package managers look for.
//!
//! A closed list. What is not in it may read anything: builds, scripts, installs of a local directory.

use super::Side;
use super::manifests::{self, Need};
use super::parts::join;
use super::script::{Joint, Shell, joint};
use crate::model::Step;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::model::mount::{self, Mount};
use crate::syntax::shell::{Command, Node, Redirect, Statement, Word};
use crate::syntax::{Instruction, Keyword};

type At<'a, 'f> = (&'a Step<'f>, &'a Side<'f>);

/// What a RUN needs before it can run, beside what is installed already.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Of each, one file must be there.
    pub(super) manifests: Vec<Need>,
    /// Whether it installs packages of the distribution and does nothing else.
    pub(super) is_system: bool,
    /// The directories that it deletes from.
    pub(super) deleted: Vec<String>,
}

/// What a RUN needs that only installs; `None` for any other step.
pub(super) fn of((step, side): At<'_, '_>) -> Option<Needs> {
    let run = step.instruction;
    if run.keyword != Keyword::Run || !takes_nothing(run, step, side.escape) {
        return None;
    }
    let shell = Shell::of(side, step, run)?;
    let mut reader = Reader {
        cwd: step.before.workdir().map(str::to_owned),
        home: step.before.home(),
        made: Vec::new(),
        needs: Needs {
            is_system: true,
            ..Needs::default()
        },
    };
    for statement in &shell.script.statements {
        reader.statement(statement)?;
    }
    (!shell.script.statements.is_empty()).then_some(reader.needs)
}

/// Whether no flag of a RUN brings files that depend on the rest: caches and secrets do not.
fn takes_nothing(run: &Instruction, step: &Step<'_>, escape: u8) -> bool {
    let expand = |word: &str| step.before.expand(word, escape);
    run.flags.iter().all(|flag| {
        let value = flag.value.as_deref().unwrap_or_default();
        match flag.name.as_str() {
            "mount" => Mount::parse(value, &expand).is_ok_and(|mount| {
                use mount::Kind as K;
                let is_own = mount.from.is_none() && mount.source.is_none();
                is_own && matches!(mount.kind, K::Cache | K::Secret | K::Ssh)
            }),
            "network" => true,
            _ => false,
        }
    })
}

struct Reader<'a> {
    /// Where the script is; `None` where that is not known.
    cwd: Option<String>,
    home: Option<&'a str>,
    /// Files that the script wrote itself.
    made: Vec<String>,
    needs: Needs,
}

impl Reader<'_> {
    fn statement(&mut self, statement: &Statement) -> Option<()> {
        let goes_on = matches!(joint(statement), Joint::And | Joint::Then);
        if goes_on && !statement.negated && is_installer(&statement.node) {
            self.needs.is_system = false;
            return Some(());
        }
        let command = statement.command().filter(|_| !statement.negated)?;
        let is_plain = |word: &Word| word.substitutions.is_empty();
        let plain = command
            .words
            .iter()
            .chain(&command.assignments)
            .all(is_plain);
        (goes_on && plain && !command.words.is_empty()).then_some(())?;
        self.command(command)
    }

    fn command(&mut self, command: &Command) -> Option<()> {
        let written = self.redirects(&command.redirects)?;
        if let Some(one) = invocation(&command.words) {
            is_called_plainly(&one, &command.words).then_some(())?;
            self.program(&one, &command.words)?;
            self.invocation(&one, &command.words)?;
            let writes = manifests::writes_list(&one);
            let appends = command.redirects.iter().any(|one| one.operator == ">>");
            (written.is_none() || writes && !appends).then_some(())?;
            self.made.extend(written);
            return Some(());
        }
        if makes_environment(&command.words) && written.is_none() {
            self.needs.is_system = false;
            return Some(());
        }
        if let Some(file) = written {
            // Settings that lie elsewhere, printed word for word.
            let prints = matches!(command.name(), Some("echo" | "printf"));
            let literal = command.words.iter().all(|word| word.literal.is_some());
            (prints && literal).then_some(())?;
            self.needs.is_system = false;
            self.needs.deleted.push(file);
            return Some(());
        }
        let words = command.words.iter().map(plain_text);
        let words = words.collect::<Option<Vec<&str>>>()?;
        match words.as_slice() {
            ["sudo", rest @ ..] => self.plain(rest),
            all => self.plain(all),
        }
    }

    /// The file that a command writes, if one; other redirects than those to nowhere say too little.
    fn redirects(&self, redirects: &[Redirect]) -> Option<Option<String>> {
        let mut written = None;
        for redirect in redirects {
            let target = plain_text(&redirect.target)?;
            match (redirect.operator.as_str(), target) {
                (_, "/dev/null" | "1" | "2") => {}
                (">" | ">>", file) => written = Some(self.path(file)?),
                _ => return None,
            }
        }
        Some(written)
    }

    /// A command of no package manager that reads nothing of the project.
    fn plain(&mut self, words: &[&str]) -> Option<()> {
        let (name, rest) = words.split_first()?;
        let of_system = match *name {
            "cd" => {
                let [directory] = rest else { return None };
                self.cwd = self.path(directory);
                self.cwd.as_ref()?;
                true
            }
            "set" => rest
                .iter()
                .all(|word| word.starts_with('-') || *word == "pipefail"),
            "rm" => {
                let paths = rest.iter().filter(|word| !word.starts_with('-'));
                let paths: Option<Vec<String>> = paths.map(|path| self.path(path)).collect();
                let paths = paths?;
                paths
                    .iter()
                    .all(|path| is_scratch(path, self.home))
                    .then_some(())?;
                self.needs.deleted.extend(paths);
                true
            }
            "export" | "pwd" | "printf" => false,
            "node" | "python" | "python3" => {
                matches!(rest, ["-V" | "-v" | "--version"]).then_some(())?;
                false
            }
            "true" | ":" | "echo" | "update-ca-certificates" | "ldconfig" | "locale-gen" => true,
            // What a COPY puts down later takes the mode back.
            "chmod" => {
                let [mode, file] = rest else { return None };
                (!mode.starts_with('-')).then_some(())?;
                let path = self.path(file)?;
                self.needs.manifests.push(vec![path.clone()]);
                self.needs.deleted.push(path);
                false
            }
            // Variables of a file that lies elsewhere.
            "." | "source" => {
                let [file] = rest else { return None };
                file.starts_with('/').then_some(())?;
                self.needs.manifests.push(vec![(*file).to_owned()]);
                false
            }
            "mkdir" | "useradd" | "adduser" | "groupadd" | "addgroup" => false,
            "a2enmod"
            | "a2dismod"
            | "pecl"
            | "docker-php-ext-install"
            | "docker-php-ext-enable"
            | "docker-php-ext-configure" => true,
            "corepack" => {
                let known = matches!(rest.first(), Some(&"enable" | &"prepare" | &"disable"));
                known.then_some(())?;
                false
            }
            _ => return None,
        };
        self.needs.is_system &= of_system;
        Some(())
    }

    fn invocation(&mut self, one: &Invocation, words: &[Word]) -> Option<()> {
        if one.manager.kind == Kind::System {
            return is_plain_system(one, words).then_some(());
        }
        if one.role == Role::Clean {
            return Some(());
        }
        self.needs.is_system = false;
        let asked = manifests::read(one, words)?;
        for mut need in asked.needs {
            let directory = match &asked.directory {
                Some(directory) => Some(self.path(directory)?),
                None => self.cwd.clone(),
            };
            for file in &mut need {
                *file = match file.starts_with('/') {
                    true => file.clone(),
                    false => join(directory.as_deref()?, file.trim_start_matches("./")),
                };
            }
            if !need.iter().any(|file| self.made.contains(file)) {
                self.needs.manifests.push(need);
            }
        }
        for file in asked.made {
            self.made.push(self.path(&file)?);
        }
        Some(())
    }

    /// A program that is called by a path of the project is one of its files.
    fn program(&mut self, one: &Invocation, words: &[Word]) -> Option<()> {
        let name = words.get(one.command)?.literal.as_deref()?;
        if name.contains('/') && !name.starts_with('/') {
            let path = self.path(name)?;
            self.needs.manifests.push(vec![path]);
        }
        Some(())
    }

    fn path(&self, path: &str) -> Option<String> {
        let odd = path.contains("..") || path == "-" || path.is_empty();
        let path = path.strip_prefix("./").unwrap_or(path);
        match (odd, path) {
            (true, _) => None,
            (_, "." | "") => self.cwd.clone(),
            (_, path) if path.starts_with('~') => Some(format!(
                "{}{}",
                self.home?.trim_end_matches('/'),
                &path[1..]
            )),
            (_, path) if path.starts_with('/') => Some(path.to_owned()),
            (_, path) => Some(join(self.cwd.as_deref()?, path.trim_end_matches('/'))),
        }
    }
}

/// Whether a command makes a virtual environment of Python.
fn makes_environment(words: &[Word]) -> bool {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let ["python" | "python3", "-m", "venv", options @ .., _] = words.as_slice() else {
        return false;
    };
    options.iter().all(|word| word.starts_with("--"))
}

/// Whether what is fetched from a place that is known to set up a tool is piped into an interpreter.
fn is_installer(node: &Node) -> bool {
    const KNOWN: [&str; 10] = [
        "https://deb.nodesource.com/",
        "https://rpm.nodesource.com/",
        "https://getcomposer.org/",
        "https://bootstrap.pypa.io/",
        "https://install.python-poetry.org",
        "https://raw.githubusercontent.com/python-poetry/",
        "https://raw.githubusercontent.com/sdispater/poetry/",
        "https://astral.sh/uv/",
        "https://get.pnpm.io/",
        "https://bun.sh/install",
    ];
    let Node::Pipeline(members) = node else {
        return false;
    };
    let [fetch, run] = members.as_slice() else {
        return false;
    };
    let words = |statement: &Statement| -> Option<Vec<String>> {
        let command = statement.command().filter(|one| one.redirects.is_empty())?;
        command
            .words
            .iter()
            .map(|word| word.literal.clone())
            .collect()
    };
    let (Some(fetch), Some(mut run)) = (words(fetch), words(run)) else {
        return false;
    };
    run.retain(|word| word != "sudo" && word != "-E");
    let is_known = |word: &String| {
        let url = word.replace("http://", "https://");
        !word.contains('/') || KNOWN.iter().any(|known| url.starts_with(known))
    };
    let fetches = matches!(fetch.first().map(String::as_str), Some("curl" | "wget"));
    let runs = matches!(
        run.first().map(String::as_str),
        Some("sh" | "bash" | "php" | "python" | "python3")
    );
    let is_elsewhere = |word: &String| !word.contains('/') || word.contains("=/usr/");
    fetches && runs && fetch.iter().skip(1).all(is_known) && run.iter().skip(1).all(is_elsewhere)
}

/// A word in which nothing expands, but for stars and the home.
fn plain_text(word: &Word) -> Option<&str> {
    let is_plain = |ch: char| ch.is_ascii_alphanumeric() || "/._-*~".contains(ch);
    let text = Some(word.text.as_str()).filter(|text| text.chars().all(is_plain));
    word.literal.as_deref().or(text)
}

/// Whether nothing stands before the manager's name that would change what it does.
fn is_called_plainly(one: &Invocation, words: &[Word]) -> bool {
    let before = words.get(..one.command).unwrap_or_default();
    before.iter().all(|word| {
        let name = word.text.rsplit('/').next().unwrap_or_default();
        let is_python = name
            .strip_prefix("python")
            .is_some_and(|rest| rest.chars().all(|ch| ch.is_ascii_digit() || ch == '.'));
        matches!(
            name,
            "sudo" | "-E" | "-H" | "env" | "time" | "exec" | "-m" | "corepack"
        ) || is_python
            || name.contains('=')
    })
}

/// Whether packages of the distribution are named that it has in its archives.
fn is_plain_system(one: &Invocation, words: &[Word]) -> bool {
    const LOCAL: [&str; 10] = [
        "-c",
        "--config",
        "--config-file",
        "--root",
        "--installroot",
        "--downloaddir",
        "--destdir",
        "--keys-dir",
        "--repositories-file",
        "--allow-untrusted",
    ];
    let known = matches!(
        one.role,
        Role::Install | Role::UpdateIndex | Role::Upgrade | Role::Clean | Role::Remove
    );
    let local_flag = |name: &str| LOCAL.contains(&name);
    known
        && !one.flags.iter().any(|flag| local_flag(&flag.name))
        && (one.role == Role::Remove
            || manifests::rest(one, words).all(|word| manifests::is_archived(word, one)))
}

/// Whether a path is one of caches, lists and temporary files.
fn is_scratch(path: &str, home: Option<&str>) -> bool {
    const SCRATCH: [&str; 11] = [
        "/var/lib/apt/",
        "/var/lib/dpkg/",
        "/var/cache/",
        "/var/log/",
        "/var/tmp/",
        "/tmp/",
        "/root/.",
        "/usr/share/doc",
        "/usr/share/man",
        "/usr/share/locale",
        "/usr/local/share/.cache",
    ];
    let in_home = home.is_some_and(|home| {
        path.strip_prefix(home.trim_end_matches('/'))
            .is_some_and(|rest| rest.starts_with("/."))
    });
    in_home || SCRATCH.iter().any(|start| path.starts_with(start))
}
