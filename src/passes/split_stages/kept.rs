//! Packages of the distribution that the stage that ships installs too: those that the user names, and those of which the
//! health check calls a command, or with which the program is started, where it is known what they need.

use std::collections::BTreeMap;

use super::Runtime;
use super::libraries::CERTIFICATES;
use crate::pass::PassContext;
use crate::pass::program::Program;
use crate::pass::runs::Stage;
use crate::pass::{health, known_programs};

/// Commands that ask servers, and believe those that certificates vouch for.
const CLIENTS: [&str; 2] = ["curl", "wget"];

/// Packages, each with why it is kept.
#[derive(Debug, Default, Clone)]
pub(super) struct Kept {
    packages: BTreeMap<String, &'static str>,
    /// Whether one is installed by another manager than that of Debian.
    is_elsewhere: bool,
}

impl Kept {
    /// Keeps a package that a step installs, where something is known to need it in the stage that ships.
    pub(super) fn keep(&mut self, cx: &PassContext<'_>, manager: &str, package: &str) -> bool {
        let why = why(cx, package);
        if let Some(why) = why {
            self.packages.insert(package.to_owned(), why);
            self.is_elsewhere |= manager != "apt";
        }
        why.is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    pub(super) fn append(&mut self, others: Self) {
        self.packages.extend(others.packages);
        self.is_elsewhere |= others.is_elsewhere;
    }

    /// Whether one of the packages brings a command.
    pub(super) fn has(&self, command: &str) -> bool {
        let mut packages = self.packages.keys();
        packages.any(|package| known_programs::brings(package, command))
    }

    /// The stage that ships installs the packages.
    ///
    /// # Errors
    /// It cannot, or one is missing.
    pub(super) fn install(
        self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        runtime: &mut Runtime,
    ) -> Result<(), String> {
        if self.is_elsewhere {
            return Err("packages are kept on Debian only".to_owned());
        }
        let init = Program::of(cx, stage)?.init;
        if let Some(init) = init.filter(|init| !self.packages.contains_key(*init)) {
            return Err(format!(
                "`{init}` starts the program, and no step installs its package"
            ));
        }
        let asks = CLIENTS
            .iter()
            .any(|client| self.packages.contains_key(*client));
        if asks && health::is_secure(stage) && !self.packages.contains_key(CERTIFICATES) {
            return Err(format!(
                "the health check may need `{CERTIFICATES}`, which no step installs"
            ));
        }
        for (package, why) in self.packages {
            runtime.reasons.say(&package, why);
            runtime.packages.insert(package);
        }
        Ok(())
    }
}

/// Why a package is kept; `None` where nothing is known to need it.
fn why(cx: &PassContext<'_>, package: &str) -> Option<&'static str> {
    let mut named = cx.rule.texts("keep-packages");
    if named.any(|one| one == package) {
        return Some("installed: `keep-packages` names it");
    }
    let stage = &cx.stages[0];
    let program = Program::of(cx, stage).ok();
    if program.is_some_and(|program| program.init == Some(package)) {
        return Some("installed: it starts the program");
    }
    let calls = health::calls(stage).unwrap_or_default();
    let is_called = |package: &str| {
        let mut calls = calls.iter();
        calls.any(|name| known_programs::brings(package, name))
    };
    if known_programs::is_known(package) && is_called(package) {
        return Some("installed: the health check calls it");
    }
    let asks = CLIENTS.iter().any(|client| is_called(client));
    let is_checked = package == CERTIFICATES && asks && health::is_secure(stage);
    is_checked.then_some("installed: the health check asks a server that has to prove who it is")
}
