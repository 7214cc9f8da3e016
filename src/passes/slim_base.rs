//! A stage that ships on a full image goes onto the small one of the same version and release.
//!
//! Reads what the stage runs, and says no wherever that is not known to be in the small image, named among the packages
//! that the stage installs, or left alone by the change. Never to another distribution.

mod node;
mod python;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::context::glob;
use crate::model::Base;
use crate::model::managers::{Kind, Role, invocation};
use crate::pass::java_runtime::java_runtime;
use crate::pass::program::Program;
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::slim_image::{Order, named_base, slim};
use crate::pass::{Findings, Pass, PassContext, command, health, known_programs};
use crate::rule::Saving;
use crate::syntax::Keyword;
use crate::syntax::shell::Command;
use crate::text::Edit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SlimBase {
    /// Commands that every small image has.
    always: Vec<String>,
    /// Commands by the package that brings them, where the package has another name.
    brought_by: BTreeMap<String, Vec<String>>,
    /// The packages of the full images that are not in the small ones, and their commands.
    full: BTreeMap<String, Vec<String>>,
    /// What is known of the families, by name.
    family: BTreeMap<String, Family>,
    /// Packages of Node that need nothing of the image but Node, where they are named in a command.
    plain_packages: Vec<String>,
    /// Packages that fail to install where there are no manual pages, as patterns.
    wants_manuals: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Family {
    /// How the small image is called.
    small: Small,
    /// Releases of the distribution of which there is one; empty where all have one.
    #[serde(default)]
    only: Vec<String>,
    /// Commands of its own, which the small image has too.
    #[serde(default)]
    own: Vec<String>,
    /// Commands of which it is known what they need when the container runs them.
    #[serde(default)]
    starts: Vec<String>,
    /// Commands that only the full image has.
    #[serde(default)]
    full: Vec<String>,
    /// How many bytes fewer the small image has: the least, and the most.
    saves: [u64; 2],
    /// Texts of an instruction after which the change is not known to be one of size only.
    #[serde(default)]
    mentions: Vec<String>,
    /// Whether the small image has the same packages.
    #[serde(default)]
    same_packages: bool,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Small {
    /// `12-slim`, `20-bookworm-slim`.
    SlimLast,
    /// `3.2-slim-bookworm`.
    SlimFirst,
    /// `17-jre`.
    Jre,
}

/// Why a command that a stage runs will be there.
const IN_SMALL: &str = "in the small image too";
const INSTALLED: &str = "installed by the stage itself";
const COPIED: &str = "copied from the other stage";

/// A stage, and what the rule knows of its base.
struct Look<'p> {
    rule: &'p SlimBase,
    cx: &'p PassContext<'p>,
    stage: &'p Stage<'p>,
    family: &'p Family,
}

impl Pass for SlimBase {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages.iter().filter(|stage| stage.ships) {
            if !matches!(stage.model.base, Base::Image(_)) {
                continue;
            }
            let family = stage.model.end.base().family;
            let Some(family) = family.and_then(|family| self.family.get(&family.name)) else {
                continue;
            };
            let look = Look {
                rule: self,
                cx,
                stage,
                family,
            };
            look.report(out);
        }
    }
}

impl Look<'_> {
    fn report(&self, out: &mut Findings) {
        let span = shown_span(self.stage.model.from);
        let Some(word) = self.stage.model.from.words().first() else {
            return;
        };
        let small = match self.small() {
            Ok(Some(small)) => small,
            Ok(None) => return,
            Err(reason) => return out.decline(span, reason),
        };
        let mut reasons = Reasons::default();
        let why = match self.family.small {
            Small::Jre => "the same version and release, without the compiler",
            _ if self.family.same_packages => {
                "the same release, without manual pages and translations"
            }
            _ => "the same version and release, without compilers and headers",
        };
        reasons.say(small.clone(), why);
        match self.check(&mut reasons) {
            Err(reason) => out.decline(span, reason),
            Ok(()) => {
                let message = format!("`{}` holds more than this stage needs", word.text);
                let edit = Edit::replace(word.span, small.clone());
                let fix = self.cx.fix(format!("ship on `{small}`"), vec![edit]);
                let [low, high] = self.family.saves;
                let saving = Some(Saving { low, high });
                let fix = fix.map(|fix| fix.because(reasons.sentences()).saves(saving));
                out.report(span, message, fix);
            }
        }
    }

    /// The small image; `None` where the base is that itself.
    fn small(&self) -> Result<Option<String>, String> {
        let facts = self.stage.model.end.base();
        let small = match self.family.small {
            Small::SlimLast => slim(self.stage, Order::Last),
            Small::SlimFirst => slim(self.stage, Order::BeforeRelease),
            Small::Jre => named_base(self.stage).and_then(java_runtime),
        };
        let is_one_of = |text: Option<&str>| {
            text.is_some_and(|text| self.family.only.iter().any(|one| one == text))
        };
        let has_one = self.family.only.is_empty() || is_one_of(facts.release.as_deref());
        match has_one {
            true => small,
            false if facts.has_word("slim") => Ok(None),
            false if facts.release.is_none() => {
                Err("which release the base image is of is not known".to_owned())
            }
            false => Err("there is no small image of this release".to_owned()),
        }
    }

    /// Nothing that the stage does, or starts, is known to need the full image, or may.
    fn check(&self, reasons: &mut Reasons) -> Result<(), String> {
        let stage = self.stage.model;
        if stage.from.flag("platform").is_some() {
            return Err("the stage asks for a platform".to_owned());
        }
        let mut others = self.cx.model.stages.iter();
        if others.any(|other| other.base == Base::Stage(stage.index)) {
            return Err("another stage is built on this one".to_owned());
        }
        self.mentions()?;
        let installed = self.installed()?;
        for step in &self.stage.steps {
            match step.instruction.keyword {
                Keyword::Onbuild | Keyword::Shell => {
                    return Err(format!("the stage has {}", step.instruction.keyword));
                }
                Keyword::Run if !self.family.same_packages => {
                    self.run(step, &installed, reasons)?;
                }
                _ => {}
            }
        }
        if self.family.same_packages {
            return Ok(());
        }
        if stage.end.base().is_family("python") {
            python::check(self, &installed, reasons)?;
        } else {
            self.carried()?;
        }
        if stage.end.base().is_family("node") {
            node::check(self)?;
        }
        self.starts(&installed, reasons)
    }

    /// No instruction names what the small image has elsewhere or not at all.
    fn mentions(&self) -> Result<(), String> {
        for step in &self.stage.steps {
            let text = self.cx.shown(step.instruction.span);
            let mut texts = self.family.mentions.iter();
            if let Some(found) = texts.find(|one| text.contains(one.as_str())) {
                return Err(format!(
                    "`{found}` may mean another thing in the small image"
                ));
            }
        }
        Ok(())
    }

    /// The packages that the stage installs by name.
    fn installed(&self) -> Result<BTreeSet<String>, String> {
        let mut installed = BTreeSet::new();
        for step in self.stage.steps.iter().filter(|step| step.is_run()) {
            let script = step.script().ok_or("what a RUN does cannot be read")?;
            for found in script.commands() {
                let words = &found.command.words;
                let asked = invocation(words).filter(|asked| asked.manager.kind == Kind::System);
                let asked = asked.filter(|asked| asked.role == Role::Install);
                let Some(asked) = asked else {
                    continue;
                };
                let names = asked
                    .packages
                    .iter()
                    .filter_map(|at| words[*at].literal.as_deref());
                installed.extend(names.map(|name| bare(name).to_owned()));
            }
        }
        let wants = |name: &&String| {
            let mut patterns = self.rule.wants_manuals.iter();
            patterns.any(|pattern| glob::matches(pattern, name).unwrap_or(true))
        };
        let is_debian = self.stage.model.end.base().package_manager == Some("apt");
        match installed.iter().find(wants) {
            Some(name) if is_debian => Err(format!(
                "`{name}` may fail to install where manual pages are left out"
            )),
            _ => Ok(installed),
        }
    }

    /// All commands of a RUN are in the small image.
    fn run(
        &self,
        step: &Step<'_>,
        installed: &BTreeSet<String>,
        reasons: &mut Reasons,
    ) -> Result<(), String> {
        let script = step.script().ok_or("what a RUN does cannot be read")?;
        let commands = script.commands().into_iter().map(|found| found.command);
        for called in commands.filter(|called| !called.words.is_empty()) {
            let name = command::name(called).ok_or("what a RUN calls is not known")?;
            if let Some(why) = self.command(called, name, installed)? {
                reasons.say(name, why);
            }
        }
        Ok(())
    }

    /// Why a command is there in the small image; `None` where every image has it.
    fn command(
        &self,
        called: &Command,
        name: &str,
        installed: &BTreeSet<String>,
    ) -> Result<Option<&'static str>, String> {
        let lists = |list: &[String]| list.iter().any(|one| one == name);
        if self.family.full.iter().any(|one| one == name) {
            return Err(format!("`{name}` is in the full image only"));
        }
        if lists(&self.rule.always) {
            return self.secure(name, installed).map(|()| None);
        }
        if lists(&self.family.own) {
            return self.secure(name, installed).map(|()| Some(IN_SMALL));
        }
        if installed.contains(name) {
            return self.secure(name, installed).map(|()| Some(INSTALLED));
        }
        let asked = invocation(&called.words);
        match asked.filter(|asked| asked.manager.kind == Kind::System) {
            Some(asked) if asked.role == Role::Other => {
                return Err(format!("what a command of `{name}` does is not known"));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        let mut packages = installed.iter();
        let brings = |package: &String| {
            self.rule
                .brought_by
                .get(package)
                .is_some_and(|all| lists(all))
        };
        if packages.any(brings) {
            return self.secure(name, installed).map(|()| Some(INSTALLED));
        }
        let mut full = self.rule.full.iter();
        match full.find(|(_, commands)| lists(commands)) {
            Some((package, _)) if package == name => Err(format!(
                "`{name}` comes with the full image, and nothing installs it"
            )),
            Some((package, _)) => Err(format!(
                "`{name}` comes with the full image, and nothing installs `{package}`"
            )),
            None => Err(format!("what `{name}` needs is not known")),
        }
    }

    /// What speaks to servers has the certificates of authorities.
    fn secure(&self, name: &str, installed: &BTreeSet<String>) -> Result<(), String> {
        let base = self.stage.model.end.base();
        let has = !base.is_family("node") || installed.contains("ca-certificates");
        match matches!(name, "curl" | "wget" | "git") && !has {
            true => Err(format!(
                "`{name}` may need `ca-certificates`, which the small image does not have"
            )),
            false => Ok(()),
        }
    }

    /// What is copied from other stages and images was not made for the full image.
    fn carried(&self) -> Result<(), String> {
        let facts = self.stage.model.end.base();
        if facts.is_family("node") || self.family.small == Small::Jre {
            return Ok(());
        }
        let mut steps = self.stage.steps.iter();
        match steps.any(|step| step.instruction.flag("from").is_some()) {
            true => Err(
                "what is copied from another stage may need libraries of the full image".to_owned(),
            ),
            false => Ok(()),
        }
    }

    /// What the container starts, and its health check, is in the small image.
    fn starts(&self, installed: &BTreeSet<String>, reasons: &mut Reasons) -> Result<(), String> {
        let own = |name: &str| self.family.starts.iter().any(|one| one == name);
        let knows = |name: &str| own(name) || python::is_copied_command(self, name);
        let program = Program::of(self.cx, self.stage)?.within_shell();
        let name = &program.name;
        if !knows(name) {
            return Err(format!("what `{name}` needs when it runs is not known"));
        }
        reasons.say(name, if own(name) { IN_SMALL } else { COPIED });
        if let Some(init) = program.init {
            if !installed.contains(init) {
                return Err(format!(
                    "nothing installs `{init}`, which starts the program"
                ));
            }
            reasons.say(init, INSTALLED);
        }
        let is_installed = |name: &str| {
            let mut packages = installed.iter();
            let secure = !health::is_secure(self.stage) || self.secure(name, installed).is_ok();
            secure && packages.any(|package| known_programs::brings(package, name))
        };
        health::check(self.stage, |name| knows(name) || is_installed(name))
    }
}

/// A package without version, release and architecture.
fn bare(name: &str) -> &str {
    name.split(['=', '/', ':']).next().unwrap_or(name)
}
