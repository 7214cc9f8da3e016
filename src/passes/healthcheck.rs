//! An image whose program listens at a known port, and that has no health check.
//!
//! Shows one that opens a connection, by a program that the image has anyway. Never installs one, and never guesses a port.

use serde::Deserialize;

use crate::model::Base;
use crate::model::managers::{Kind, Role, invocation};
use crate::pass::runs::{Stage, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::Keyword;
use crate::text::Edit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Healthcheck {
    /// What opens a connection; the first one that the image has is taken.
    probes: Vec<Probe>,
}

/// A command that opens a connection, and what tells that an image has it: one of three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    /// The family of the base image.
    family: Option<String>,
    /// A package that a step installs.
    package: Option<String>,
    /// The distribution.
    distribution: Option<String>,
    /// Its words, with `{port}` for the port.
    words: Vec<String>,
}

impl Pass for Healthcheck {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let Some(stage) = cx.stages.last().filter(|stage| stage.ships) else {
            return;
        };
        let starts = |keyword| matches!(keyword, Keyword::Cmd | Keyword::Entrypoint);
        let mut steps = stage.steps.iter();
        // An image without a command is a base for others.
        let Some(first) = steps.find(|step| starts(step.instruction.keyword)) else {
            return;
        };
        let mut built_on = stages_below(cx, stage).into_iter();
        if built_on.any(|stage| has(stage, Keyword::Healthcheck) || has(stage, Keyword::Onbuild)) {
            return;
        }
        let span = shown_span(first.instruction);
        let port = match port(cx, stage) {
            Ok(port) => port,
            Err(reason) => return out.decline(span, reason),
        };
        let Some(probe) = self.probes.iter().find(|probe| probe.is_in(cx, stage)) else {
            let reason = "no program that could ask is known to be in the image";
            return out.decline(span, reason);
        };
        let words = probe.words.iter();
        let words = words.map(|word| format!("\"{}\"", word.replace("{port}", &port)));
        let words = words.collect::<Vec<_>>().join(", ");
        let written = first.instruction.keyword_span.of(cx.text);
        let keyword = match written.first().is_some_and(u8::is_ascii_lowercase) {
            true => "healthcheck cmd",
            false => "HEALTHCHECK CMD",
        };
        let ending = match cx.text.windows(2).any(|pair| pair == b"\r\n") {
            true => "\r\n",
            false => "\n",
        };
        let line = format!("{keyword} [{words}]{ending}");
        let edit = Edit::insert(first.instruction.span.start, line);
        let fix = cx.fix(format!("open a connection to port {port}"), vec![edit]);
        out.report(span, "nothing asks whether the program still answers", fix);
    }
}

/// A stage, and those that it is built on.
fn stages_below<'c>(cx: &PassContext<'c>, stage: &'c Stage<'c>) -> Vec<&'c Stage<'c>> {
    let mut below = vec![stage];
    let mut at = stage;
    while let Some(base) = at.base {
        at = &cx.stages[base];
        below.push(at);
    }
    below
}

fn has(stage: &Stage<'_>, keyword: Keyword) -> bool {
    let mut steps = stage.steps.iter();
    steps.any(|step| step.instruction.keyword == keyword)
}

/// The one port that EXPOSE names.
fn port(cx: &PassContext<'_>, stage: &Stage<'_>) -> Result<String, String> {
    let mut ports = Vec::new();
    for stage in stages_below(cx, stage) {
        let exposes = stage.steps.iter();
        for step in exposes.filter(|step| step.instruction.keyword == Keyword::Expose) {
            for word in step.instruction.words() {
                let known = |text: &str| {
                    let port = text.strip_suffix("/tcp").unwrap_or(text);
                    port.parse::<u16>().ok().map(|port| port.to_string())
                };
                let port = known(&word.text);
                ports.push(
                    port.ok_or_else(|| format!("which port `{}` is is not known", word.text))?,
                );
            }
        }
    }
    ports.sort();
    ports.dedup();
    match ports.as_slice() {
        [port] => Ok(port.clone()),
        [] => Err("EXPOSE names no port at which the program listens".to_owned()),
        _ => Err("EXPOSE names several ports".to_owned()),
    }
}

impl Probe {
    /// Whether the image has the program.
    fn is_in(&self, cx: &PassContext<'_>, stage: &Stage<'_>) -> bool {
        if stage.model.base == Base::Scratch {
            return false;
        }
        let facts = stage.model.end.base();
        let is_family = |family: &String| facts.is_family(family);
        let is_on = |name: &String| {
            let distribution = stage.model.end.distribution();
            distribution.is_some_and(|one| one.name() == name)
        };
        self.family.as_ref().is_some_and(is_family)
            || self.distribution.as_ref().is_some_and(is_on)
            || self.package.as_ref().is_some_and(|name| {
                stages_below(cx, stage)
                    .into_iter()
                    .any(|one| installs(one, name))
            })
    }
}

/// Whether a step of the stage installs a package by its name, and none removes it.
fn installs(stage: &Stage<'_>, package: &str) -> bool {
    let scripts = stage.steps.iter().filter_map(|step| step.script());
    let mut installed = false;
    for found in scripts.flat_map(|script| script.commands()) {
        let words = &found.command.words;
        let asked = invocation(words).filter(|asked| asked.manager.kind == Kind::System);
        let Some(asked) = asked else { continue };
        let mut names = asked.packages.iter().map(|at| words[*at].text.as_str());
        if !names.any(|name| name.split('=').next() == Some(package)) {
            continue;
        }
        match asked.role {
            Role::Install => installed = true,
            Role::Remove => return false,
            _ => {}
        }
    }
    installed
}
