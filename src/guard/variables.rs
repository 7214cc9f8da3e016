//! Variables that ENV and ARG set, and labels: who reads them, as far as that can be told from the text.

use super::Side;
use super::script::Shell;
use crate::model::Step;
use crate::model::managers::{Kind, Role, invocation};
use crate::syntax::shell::Command;
use crate::syntax::{Instruction, Keyword};
use crate::text::contains;

type At<'a, 'f> = (&'a Step<'f>, &'a Side<'f>);

/// The names that an ENV, ARG or LABEL sets; `None` where one depends on a variable.
pub(super) fn names(instruction: &Instruction) -> Option<Vec<String>> {
    let names: Vec<String> = match instruction.keyword {
        Keyword::Arg => {
            let words = instruction.words().iter();
            words.map(|word| name_in(&word.text).to_owned()).collect()
        }
        _ => {
            let pairs = instruction.pairs().iter();
            pairs
                .map(|pair| pair.key.text.trim_matches('"').to_owned())
                .collect()
        }
    };
    let plain = |name: &String| !name.is_empty() && !name.contains(['$', '\\', '\'', '"']);
    names.iter().all(plain).then_some(names)
}

fn name_in(word: &str) -> &str {
    word.split('=').next().unwrap_or(word)
}

/// Whether two instructions set nothing in common, and neither expands what the other one sets.
pub(super) fn set_apart(one: &Instruction, other: &Instruction) -> bool {
    let (Some(ours), Some(theirs)) = (names(one), names(other)) else {
        return false;
    };
    !ours.iter().any(|name| theirs.contains(name))
}

/// Whether an instruction that the builder expands may expand one of the variables that `setter` sets.
pub(super) fn may_expand(instruction: &Instruction, setter: &Instruction) -> bool {
    let text = &instruction.logical.text;
    text.contains(&b'$')
        && names(setter).is_none_or(|names| names.iter().any(|name| contains(text, name)))
}

/// Whether a RUN may read one of the variables that `setter` sets: it names it, or prints them all, or runs what may
/// read any of them, or the variable is one that programs look for.
pub(super) fn may_read((step, side): At<'_, '_>, setter: &Instruction) -> bool {
    let text = step.instruction.span.of(side.text);
    let Some(names) = names(setter) else {
        return true;
    };
    let is_read = |name: &String| contains(text, name) || is_looked_for(name);
    if names.iter().any(is_read) {
        return true;
    }
    let Some(shell) = Shell::of(side, step, step.instruction) else {
        return true;
    };
    let commands = shell.script.commands();
    let is_stamp = names.iter().all(|name| is_stamp(name));
    !commands
        .iter()
        .all(|found| reads_no_others(found.command, is_stamp))
}

/// Whether a name is one for what changes with each build, which no configuration of a package manager would take.
fn is_stamp(name: &str) -> bool {
    const STAMPS: [&str; 20] = [
        "BRANCH",
        "BUILD",
        "BUILT",
        "CACHEBUST",
        "COMMIT",
        "CREATED",
        "DATE",
        "GIT",
        "HASH",
        "NUMBER",
        "REF",
        "RELEASE",
        "REV",
        "REVISION",
        "SHA",
        "TAG",
        "TIME",
        "TIMESTAMP",
        "VCS",
        "VERSION",
    ];
    let name = name.to_ascii_uppercase();
    name.split('_').any(|part| STAMPS.contains(&part))
}

/// Variables that programs look for by themselves.
pub(super) fn is_looked_for(name: &str) -> bool {
    const STARTS: [&str; 50] = [
        "ANDROID",
        "APT_",
        "ASPNET",
        "AWS_",
        "BASH",
        "BUN_",
        "BUNDLE",
        "CARGO",
        "CFLAGS",
        "CGO_",
        "CMAKE",
        "COMPOSER",
        "CONDA",
        "CPP",
        "CXX",
        "DEB",
        "DOTNET",
        "GCC",
        "GEM_",
        "GIT_DIR",
        "GIT_SSH",
        "GO",
        "GRADLE",
        "HTTP",
        "JAVA",
        "JDK",
        "LANG",
        "LC_",
        "LD_",
        "LDFLAGS",
        "LIBRARY",
        "M2",
        "MAKE",
        "MAVEN",
        "NODE",
        "NO_PROXY",
        "NPM",
        "NUGET",
        "PERL",
        "PHP",
        "PIP",
        "PKG_CONFIG",
        "PNPM",
        "POETRY",
        "PYTHON",
        "RAILS",
        "RUBY",
        "RUST",
        "UV_",
        "YARN",
    ];
    const NAMES: [&str; 15] = [
        "AR", "CC", "CI", "DESTDIR", "DISPLAY", "EDITOR", "HOME", "HOSTNAME", "PATH", "PREFIX",
        "PWD", "SHELL", "TERM", "TZ", "USER",
    ];
    let name = name.to_ascii_uppercase();
    let is_proxy = name.ends_with("_PROXY") || name.ends_with("_HOME") || name.ends_with("_PATH");
    is_proxy || NAMES.contains(&name.as_str()) || STARTS.iter().any(|start| name.starts_with(start))
}

/// Whether a command reads no variables but those that are for it; the configuration of an install may name any that is
/// no stamp.
fn reads_no_others(command: &Command, is_stamp: bool) -> bool {
    const PLAIN: [&str; 53] = [
        "a2dismod",
        "a2enmod",
        "addgroup",
        "adduser",
        "apt-key",
        "cat",
        "cd",
        "chgrp",
        "chmod",
        "chown",
        "corepack",
        "cp",
        "curl",
        "cut",
        "docker-php-ext-configure",
        "docker-php-ext-enable",
        "docker-php-ext-install",
        "dpkg",
        "echo",
        "false",
        "find",
        "getent",
        "git",
        "gpg",
        "grep",
        "groupadd",
        "gunzip",
        "head",
        "id",
        "install",
        "ldconfig",
        "ln",
        "locale-gen",
        "ls",
        "mkdir",
        "mv",
        "printf",
        "pwd",
        "rm",
        "rmdir",
        "sed",
        "sha256sum",
        "sha512sum",
        "sort",
        "tail",
        "tar",
        "tee",
        "test",
        "touch",
        "true",
        "unzip",
        "useradd",
        "wget",
    ];
    if command.words.is_empty() {
        return true;
    }
    if let Some(one) = invocation(&command.words) {
        let of_others = matches!(one.role, Role::Build | Role::Run | Role::Other);
        let is_go = one.manager.name == "go" && one.role == Role::Build;
        return (!of_others || is_go) && (is_stamp || one.manager.kind == Kind::System);
    }
    let words = command.words.iter().map(|word| word.text.as_str());
    let mut words = words.skip_while(|word| *word == "sudo");
    let name = words.next().unwrap_or_default();
    let runs_another = name == "find" && words.any(|word| word.starts_with("-exec"));
    (PLAIN.contains(&name) || matches!(name, "[" | ":")) && !runs_another
}
