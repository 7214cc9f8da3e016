//! Which packages of the distribution a Python application runs with, and which only its build needs.

use std::collections::{BTreeMap, BTreeSet};

use super::{BUILD_ONLY, Python, minor, stage_version};
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Stage, shown_span};
use crate::syntax::Instruction;

impl Python<'_> {
    /// The packages of the distribution that the runtime stage needs.
    pub(super) fn libraries(
        &self,
        stage: &Stage<'_>,
        reasons: &mut Reasons,
    ) -> Result<BTreeSet<String>, String> {
        let python = &self.rule.python;
        let mut libraries = BTreeSet::new();
        let installed = self.packages.iter();
        let installed = installed.map(|package| (package.clone(), String::new()));
        let mut packages: BTreeMap<String, String> = installed.collect();
        let compiled = |name: &str| format!(", with which `{name}` is compiled");
        for name in &self.required {
            if python.needs_more.contains(name) {
                return Err(format!("`{name}` needs more than the small image has"));
            }
            let with = python.compiled_with.get(name);
            let with = with.filter(|_| !python.wheels.contains_key(name));
            packages.extend(with.map(|with| (with.clone(), compiled(name))));
        }
        let minor = minor(stage_version(&stage.model.end));
        for (name, version) in &self.held {
            if python.is_compiled(name, version, minor) {
                continue;
            }
            let with = python.compiled_with.get(name).cloned();
            let with = with.ok_or_else(|| {
                format!("whether `{name}` {version} is compiled when it is installed is not known")
            })?;
            packages.insert(with, compiled(name));
        }
        let release = stage.model.end.release();
        for (package, compiled) in packages {
            for library in python.libraries_of(&package, release)? {
                let why = format!("installed: the library of `{package}`{compiled}");
                reasons.say(library.clone(), why);
                libraries.insert(library);
            }
        }
        match release.filter(|release| !python.libraries_of.contains_key(*release)) {
            Some(release) if !libraries.is_empty() => Err(format!(
                "what `{release}` calls the library `{}` is not known",
                libraries.first().map(String::as_str).unwrap_or_default()
            )),
            _ => Ok(libraries),
        }
    }

    /// What the runtime stage does without.
    pub(super) fn tell_left(&self, stage: &Stage<'_>, reasons: &mut Reasons) {
        for package in &self.packages {
            reasons.say(package, BUILD_ONLY);
        }
        let mut steps = stage.steps.iter();
        let brings = |copy: &Instruction| self.brings_unused_manager(copy);
        if let Some(copy) = steps.find(|step| brings(step.instruction)) {
            let shown = self.cx.shown(shown_span(copy.instruction));
            reasons.say(shown, "left behind: nothing that runs calls `uv`");
        }
    }
}
