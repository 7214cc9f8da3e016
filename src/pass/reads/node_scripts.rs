//! The scripts that an install of a package runs: what of the source they read, where that can be told.

use super::node::has;
use super::{Install, Reads};
use crate::context::path;
use crate::project::node::{PackageJson, YarnFlavor};

/// Programs that read nothing of the project.
const IDLE: [&str; 9] = [
    "echo",
    "true",
    "exit",
    ":",
    "only-allow",
    "is-ci",
    "is-ci-cli",
    "opencollective",
    "ngcc",
];

/// Programs that set up hooks of the repository, and do nothing where there is none.
const HOOKS: [&str; 5] = [
    "husky",
    "lefthook",
    "simple-git-hooks",
    "pre-commit",
    "yorkie",
];

/// Programs that run a file of the project.
const RUNNERS: [&str; 7] = ["node", "sh", "bash", "tsx", "ts-node", "bun", "deno"];

/// What stands in programs that open files or start other programs.
const OPENING: [&str; 17] = [
    "\"fs\"",
    "'fs'",
    "\"fs/promises\"",
    "'fs/promises'",
    "node:fs",
    "fs-extra",
    "child_process",
    "\"glob\"",
    "'glob'",
    "./",
    "execa",
    "shelljs",
    "Deno.",
    "Bun.",
    "cat ",
    "cp ",
    "npm run",
];

/// As deep may scripts call scripts.
const DEPTH: usize = 4;

/// Adds what the scripts of the package in `directory`, seen from the project's, read when it is installed.
///
/// # Errors
/// One of them may need the source.
pub(super) fn of_package(
    install: &Install<'_>,
    reads: &mut Reads,
    package: &PackageJson,
    directory: &str,
) -> Result<(), String> {
    let one = install.invocation;
    by_themselves(install, reads, package, directory)?;
    if one.flags_named("--ignore-scripts").next().is_some() || one.subcommand_name == "fetch" {
        return Ok(());
    }
    let berry =
        one.manager.name == "yarn" && install.project.yarn_flavor() == Ok(Some(YarnFlavor::Berry));
    let hooks = package.lifecycle_scripts().filter(|(name, _)| {
        // yarn 2+ runs those of an install only.
        !berry || matches!(*name, "preinstall" | "install" | "postinstall")
    });
    for (name, script) in hooks {
        let run = Run {
            install,
            package,
            directory,
            name,
        };
        run.script(reads, script, 0)?;
    }
    Ok(())
}

/// Dependencies whose own scripts look for files of the project.
fn by_themselves(
    install: &Install<'_>,
    reads: &mut Reads,
    package: &PackageJson,
    directory: &str,
) -> Result<(), String> {
    let depends = |name: &str| {
        let tables = [&package.dependencies, &package.dev_dependencies];
        tables.iter().any(|table| table.contains_key(name))
    };
    if depends("@prisma/client") {
        prisma(install, reads, directory, None);
    }
    if depends("puppeteer") {
        for name in [
            ".puppeteerrc.cjs",
            ".puppeteerrc.json",
            "puppeteer.config.cjs",
        ] {
            if has(install, &path::join(directory, name)) {
                reads.add_path(install, &path::join(directory, name))?;
            }
        }
    }
    if depends("@sveltejs/kit") {
        reads.doubt(|| "`@sveltejs/kit` looks for the source when it is installed".to_owned());
    }
    Ok(())
}

/// The schema that prisma finds; whether there is one.
fn prisma(install: &Install<'_>, reads: &mut Reads, directory: &str, named: Option<&str>) -> bool {
    let names = ["prisma", "schema.prisma", "prisma.config.ts"];
    let named = named.map_or(names.to_vec(), |named| vec![named]);
    let mut found = false;
    for name in named {
        let name = path::join(directory, name);
        if has(install, &name) {
            found |= reads.add_path(install, &name).is_ok();
        }
    }
    found
}

/// A script of a package.
struct Run<'a> {
    install: &'a Install<'a>,
    package: &'a PackageJson,
    /// Its directory, seen from the project's.
    directory: &'a str,
    /// The script that the install runs.
    name: &'a str,
}

impl Run<'_> {
    fn script(&self, reads: &mut Reads, script: &str, depth: usize) -> Result<(), String> {
        let quoted = script.contains(['$', '`', '(', '<', '>']);
        if depth > DEPTH || quoted {
            return self.refuse(script);
        }
        let commands = script.split("&&").flat_map(|part| part.split("||"));
        for command in commands.flat_map(|part| part.split([';', '|', '&'])) {
            self.command(reads, command.trim(), depth)?;
        }
        Ok(())
    }

    fn command(&self, reads: &mut Reads, command: &str, depth: usize) -> Result<(), String> {
        let words = command
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'']));
        let is_assignment = |word: &&str| word.contains('=') && !word.starts_with('-');
        let words: Vec<&str> = words.skip_while(is_assignment).collect();
        let words = without_runner(&words);
        let Some((name, arguments)) = words.split_first() else {
            return Ok(());
        };
        let mut plain = arguments.iter().filter(|word| !word.starts_with('-'));
        match *name {
            name if IDLE.contains(&name) => Ok(()),
            name if HOOKS.contains(&name) => {
                self.hooks(reads, name);
                Ok(())
            }
            "patch-package" => self.patches(reads),
            "prisma" if arguments.first() == Some(&"generate") => self.generate(reads, arguments),
            "electron-builder" if arguments == ["install-app-deps"] => Ok(()),
            "npm" | "yarn" | "pnpm" | "bun" => {
                let run = arguments
                    .first()
                    .is_some_and(|word| matches!(*word, "run" | "run-script"));
                let script = arguments.get(usize::from(run)).copied().unwrap_or_default();
                match self.package.scripts.get(script) {
                    Some(script) => self.script(reads, script, depth + 1),
                    None => self.refuse(command),
                }
            }
            name if RUNNERS.contains(&name) => match plain.next() {
                Some(file) => self.file(reads, file, command),
                None => self.refuse(command),
            },
            name if name.starts_with("./") => self.file(reads, name, command),
            _ => self.refuse(command),
        }
    }

    fn refuse(&self, command: &str) -> Result<(), String> {
        let shown = super::super::project_place::first_words(command);
        Err(format!(
            "the script `{}` of `package.json` runs `{shown}`, which may need the source",
            self.name
        ))
    }

    /// Hooks are only set up where there is a repository.
    fn hooks(&self, reads: &mut Reads, name: &str) {
        if self.install.project.file(".git/HEAD").is_some() {
            reads.doubt(|| format!("`{name}` finds no repository before the source is copied"));
        }
    }

    fn patches(&self, reads: &mut Reads) -> Result<(), String> {
        let patches = path::join(self.directory, "patches");
        match has(self.install, &patches) {
            true => reads.add_path(self.install, &patches),
            false => Ok(()),
        }
    }

    fn generate(&self, reads: &mut Reads, arguments: &[&str]) -> Result<(), String> {
        let mut named = None;
        for (index, word) in arguments.iter().enumerate() {
            match word.split_once('=') {
                Some(("--schema", file)) => named = Some(file),
                None if *word == "--schema" => named = arguments.get(index + 1).copied(),
                _ => {}
            }
        }
        match prisma(self.install, reads, self.directory, named) {
            true => Ok(()),
            false => self.refuse("prisma generate"),
        }
    }

    /// A file that is run may read others.
    fn file(&self, reads: &mut Reads, file: &str, command: &str) -> Result<(), String> {
        let path = path::clean(&path::join(self.directory, file));
        let candidates = [
            path.clone(),
            format!("{path}.js"),
            format!("{path}/index.js"),
        ];
        let Some(found) = candidates.iter().find(|path| has(self.install, path)) else {
            return self.refuse(command);
        };
        if self.opens_files(found) {
            return Err(format!(
                "`{file}`, which the install runs, opens other files of the source"
            ));
        }
        reads.add_path(self.install, found)?;
        reads.doubt(|| format!("`{file}`, which the install runs, may read more of the source"));
        Ok(())
    }
}

impl Run<'_> {
    /// Whether a file of the project looks like a program that opens others: by the names of modules and commands.
    fn opens_files(&self, file: &str) -> bool {
        const LIMIT: usize = 1 << 20;
        let path = path::resolve_from(self.install.root, file);
        let text = path.and_then(|path| self.install.context.read(&path, LIMIT).ok());
        text.is_none_or(|text| {
            let text = String::from_utf8_lossy(&text);
            OPENING.iter().any(|mark| text.contains(mark))
        })
    }
}

/// What `npx`, `yarn dlx`, `cross-env` and the like run.
fn without_runner<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    let skip = match words {
        ["npx" | "bunx" | "pnpx" | "cross-env", ..] => 1,
        ["npm" | "pnpm" | "yarn", "exec" | "dlx", ..] => 2,
        ["yarn" | "pnpm" | "bun", name, ..] if HOOKS.contains(name) || *name == "patch-package" => {
            1
        }
        ["yarn" | "pnpm", "prisma", ..] => 1,
        _ => return words,
    };
    let rest = &words[skip..];
    let flags = rest
        .iter()
        .take_while(|word| word.starts_with('-') || word.contains('='));
    &rest[flags.count()..]
}
