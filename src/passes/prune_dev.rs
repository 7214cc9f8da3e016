//! A builder stage whose packages of Node another stage takes over deletes those for development at its end.
//!
//! Only by the package manager itself, and only where nothing that takes them is seen to need what is deleted. Never
//! moves a step, and never looks at a stage that ships or that another one is built on.

use serde::Deserialize;

use crate::context::path;
use crate::model::Base;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::pass::development::{Development, Uses, tokens};
use crate::pass::layout::line_ending;
use crate::pass::node_packages;
use crate::pass::node_prune;
use crate::pass::program::Program;
use crate::pass::project_place::Place;
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Stage, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::project::Project;
use crate::project::node::PackageJson;
use crate::syntax::Keyword;
use crate::text::Edit;

/// The endings of files by which tools are configured.
const CODE: [&str; 5] = ["js", "cjs", "mjs", "ts", "mts"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PruneDev {}

impl Pass for PruneDev {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for (number, takers) in takers(cx).into_iter().enumerate() {
            let Some(look) = Look::at(cx, number, takers) else {
                continue;
            };
            let span = shown_span(look.stage().steps[look.install.step].instruction);
            match look.command() {
                Err(reason) => out.decline(span, reason),
                Ok(command) => {
                    let mut reasons = Reasons::default();
                    reasons.say(command, "what takes the packages over needs none of these");
                    let fix = cx.fix(format!("add `{command}`"), vec![look.edit(command)]);
                    let fix = fix.map(|fix| fix.because(reasons.sentences()));
                    let message = "the packages that ship are those for development too";
                    out.report(span, message, fix);
                }
            }
        }
    }
}

/// The last install of a builder stage.
struct Install {
    manager: &'static str,
    /// Its directory in the image; `None` where it is not known.
    directory: Option<String>,
    step: usize,
    /// Whether packages are named, which the manifest may not list.
    names: bool,
}

/// A builder stage, and the stages that take its packages over.
struct Look<'p> {
    cx: &'p PassContext<'p>,
    number: usize,
    install: Install,
    takers: Vec<usize>,
}

impl<'p> Look<'p> {
    /// The stage of that number, where it installs what is for development, and `takers` take files from it.
    fn at(cx: &'p PassContext<'p>, number: usize, takers: Vec<usize>) -> Option<Self> {
        let stage = &cx.stages[number];
        if stage.ships || takers.is_empty() {
            return None;
        }
        let mut last = None;
        for step in 0..stage.steps.len() {
            let place = Place {
                cx,
                stage: number,
                step,
            };
            for (asked, directory) in asked(place) {
                match asked.role {
                    Role::Install if asked.may_be_global() => {}
                    Role::Install if asked.is_lean() || node_prune::is_for_production(place) => {
                        last = None;
                    }
                    Role::Install => {
                        let manager = asked.manager.name.as_str();
                        last = Some(Install {
                            manager,
                            directory,
                            step,
                            names: asked.names_packages(),
                        });
                    }
                    // `npm prune`: what is for development is gone already, or chosen.
                    Role::Remove | Role::Clean if asked.subcommand_name == "prune" => last = None,
                    _ => {}
                }
            }
        }
        let look = Self {
            cx,
            number,
            install: last?,
            takers,
        };
        look.may_take_packages().then_some(look)
    }

    fn stage(&self) -> &'p Stage<'p> {
        &self.cx.stages[self.number]
    }

    /// Whether a stage that ships takes the directory with the packages, or one of which that is not known.
    fn may_take_packages(&self) -> bool {
        let Some(directory) = &self.install.directory else {
            return true;
        };
        let packages = path::join(directory, "node_modules");
        let takers = self.takers.iter().map(|taker| &self.cx.stages[*taker]);
        takers.filter(|taker| taker.ships).any(|taker| {
            let mut steps = taker.steps.iter();
            steps.any(|step| {
                let is_from = step.sources().contains(&Base::Stage(self.number));
                let words = step.instruction.words();
                let sources = words.split_last().map_or(words, |(_, sources)| sources);
                let is_taken = |text: &str| {
                    let source = step.before.expand(text, b'\\').ok();
                    let Some(source) = source.filter(|source| !source.contains(['*', '?', '[']))
                    else {
                        return true;
                    };
                    let source = path::clean(&format!("/{source}"));
                    path::is_at_or_below(&source, &packages)
                        || path::is_at_or_below(&packages, &source)
                };
                is_from && (step.is_run() || sources.iter().any(|word| is_taken(&word.text)))
            })
        })
    }

    /// The command that deletes what is for development.
    fn command(&self) -> Result<&'static str, String> {
        if !self.cx.context.is_known() {
            return Err("the build context is not known".to_owned());
        }
        let directory = self.install.directory.as_deref();
        let directory = directory.ok_or("the directory of the install is not known")?;
        self.check_stage(directory)?;
        if self.install.names {
            return Err("packages are installed by name".to_owned());
        }
        let place = self.place(self.number, self.install.step);
        let root = place.project(directory, "package.json")?;
        let project = Project::new(self.cx.context, &root);
        let package = project.package_json().map_err(|error| error.to_string())?;
        let package = package.ok_or("there is no `package.json` in the build context")?;
        let development = Development::of_node(package, &project, false);
        if development.packages.is_empty() {
            return Err("`package.json` lists nothing for development".to_owned());
        }
        let command = node_prune::command(self.install.manager, &place, package, &project)?;
        let is_generated = |name: &&str| development.production.contains(*name);
        if let Some(name) = ["@prisma/client"].iter().find(|name| is_generated(name)) {
            return Err(format!(
                "what is generated into `{name}` may be deleted too"
            ));
        }
        for taker in &self.takers {
            self.check_taker(*taker, &development, package, &project)?;
        }
        Ok(command)
    }

    fn place(&self, stage: usize, step: usize) -> Place<'p> {
        Place {
            cx: self.cx,
            stage,
            step,
        }
    }

    /// At the end of the stage the command works where the packages are, and as whoever installed them.
    fn check_stage(&self, directory: &str) -> Result<(), String> {
        let stage = self.stage();
        let number = self.number;
        if stage
            .steps
            .iter()
            .any(|step| matches!(step.instruction.keyword, Keyword::Shell | Keyword::Onbuild))
        {
            return Err("the stage has SHELL or ONBUILD".to_owned());
        }
        let mut others = self.cx.stages.iter();
        if others.any(|other| other.base == Some(number)) {
            return Err("another stage is built on this one".to_owned());
        }
        let install = &stage.steps[self.install.step];
        let (there, here) = (install.before, &stage.model.end);
        if there.workdir() != Some(directory) || here.workdir() != Some(directory) {
            return Err("the stage ends in another directory".to_owned());
        }
        let is_same = here.user().is_some() && here.user() == there.user();
        if here.is_root() != Some(true) && !is_same {
            return Err("the stage ends as another user".to_owned());
        }
        if install.mounts_over(&path::join(directory, "node_modules")) {
            return Err("a mount covers the packages".to_owned());
        }
        let mut flags = install.instruction.flags.iter();
        let is_secret = flags.any(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            flag.name == "mount" && (value.contains("secret") || value.contains("ssh"))
        });
        match is_secret {
            true => Err("the install needs a secret".to_owned()),
            false => Ok(()),
        }
    }

    /// A stage that takes files of this one needs nothing that is for development.
    fn check_taker(
        &self,
        taker: usize,
        development: &Development,
        package: &PackageJson,
        project: &Project<'_>,
    ) -> Result<(), String> {
        let stage = &self.cx.stages[taker];
        if !stage.ships {
            return Err("a stage that builds takes files of this one".to_owned());
        }
        let mut others = self.cx.stages.iter();
        if others.any(|other| other.base == Some(taker)) {
            return Err("another stage is built on the one that takes the packages".to_owned());
        }
        let uses = Uses::new(node_packages::tools(self.install.manager), development);
        for (step, of_stage) in stage.steps.iter().enumerate() {
            let place = self.place(taker, step);
            let is_opaque = of_stage.opaque().is_some();
            let takes = of_stage.sources().contains(&Base::Stage(self.number));
            if is_opaque || of_stage.is_run() && takes {
                return Err("what a RUN does with the packages is not known".to_owned());
            }
            if !asked(place).is_empty() {
                return Err("the stage that takes the packages changes them".to_owned());
            }
            uses.step(place)?;
        }
        let program = Program::of(self.cx, stage)?.within_shell();
        if !matches!(program.name.as_str(), "node" | "npm" | "yarn" | "pnpm") {
            return Err(format!(
                "what `{}` needs when it runs is not known",
                program.name
            ));
        }
        if let Some(need) = node_prune::need(&program, package, project) {
            return Err(need);
        }
        let script = node_prune::script_of(&program, package).unwrap_or_default();
        tokens(script)
            .into_iter()
            .try_for_each(|tool| self.check_configuration(tool, &uses, project))
    }

    /// The file that configures a tool names nothing that is for development.
    fn check_configuration(
        &self,
        tool: &str,
        uses: &Uses<'_>,
        project: &Project<'_>,
    ) -> Result<(), String> {
        const LIMIT: usize = 1 << 20;
        for ending in CODE {
            let name = format!("{tool}.config.{ending}");
            let Some(file) = project.file(&name).filter(|_| !tool.contains('/')) else {
                continue;
            };
            let bytes = self.cx.context.read(&file, LIMIT);
            let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
            if ending.ends_with("ts") {
                return Err(format!("`{name}` may need `typescript` where it is read"));
            }
            uses.names(&text, &format!("`{name}`"))?;
        }
        Ok(())
    }

    fn edit(&self, command: &str) -> Edit {
        let stage = self.stage().model;
        let last = stage
            .steps
            .last()
            .map_or(stage.from, |step| step.instruction);
        let from = stage.from.keyword_span.of(self.cx.text);
        let run = match from.first().is_some_and(u8::is_ascii_lowercase) {
            true => "run",
            false => "RUN",
        };
        let ending = String::from_utf8_lossy(line_ending(last, self.cx.text)).into_owned();
        Edit::insert(last.span.end, format!("{run} {command}{ending}"))
    }
}

/// For each stage, those that copy from it or mount it, in order.
fn takers(cx: &PassContext<'_>) -> Vec<Vec<usize>> {
    let mut takers = vec![Vec::new(); cx.stages.len()];
    for (number, stage) in cx.stages.iter().enumerate() {
        for source in stage.steps.iter().flat_map(|step| step.sources()) {
            let Base::Stage(taken) = source else { continue };
            if let Some(known) = takers.get_mut(*taken)
                && known.last() != Some(&number)
            {
                known.push(number);
            }
        }
    }
    takers
}

/// What a step asks package managers of Node for, each with the directory in which that works.
fn asked(place: Place<'_>) -> Vec<(Invocation, Option<String>)> {
    let Some(script) = place.step().script() else {
        return Vec::new();
    };
    let commands = script.commands().into_iter();
    let asked = commands.filter_map(|found| {
        let asked = invocation(&found.command.words);
        let asked = asked.filter(|asked| asked.manager.kind == Kind::Node)?;
        let directory = place.directory(script, &found, &asked);
        Some((asked, directory))
    });
    asked.collect()
}
