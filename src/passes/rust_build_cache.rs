//! `cargo build` gets its downloads and its build directory in cache mounts, and the programs that somebody needs are
//! copied out of the mount in the same step.
//!
//! Never builds a package without its sources, and never mounts over a directory of the image that has anything else.

mod build;
mod names;
mod needs;
mod rest;

use serde::Deserialize;

use self::build::{Build, Output};
use self::needs::Needs;
use crate::model::managers::{Invocation, invocation};
use crate::pass::cache_folder::{self, Cache, CacheMount, existing, image_words};
use crate::pass::layout::{Layout, append_lines, insert_command, line_joint};
use crate::pass::project_place::Place;
use crate::pass::runs::{self, Step};
use crate::pass::sites::{Site, Sites};
use crate::pass::{Findings, Pass, PassContext, ending, frontend, run_flags};
use crate::syntax::shell::{CommandAt, Inside, Operator, Script};
use crate::text::Edit;

/// The rule's `[data]`, which explains the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RustBuildCache {
    target: String,
    caches: Vec<Cache>,
    idle: Vec<String>,
    free: Vec<String>,
    moved_by: Vec<String>,
    moved_by_env: Vec<String>,
    offline: Vec<String>,
    copies: Vec<String>,
    bulk: Vec<String>,
    harmless: Vec<String>,
}

impl Pass for RustBuildCache {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let sites = Sites::of(cx);
        for (index, site) in sites.all.iter().enumerate() {
            if let Some(opaque) = site.step.opaque() {
                let text = String::from_utf8_lossy(site.step.instruction.args_text()).into_owned();
                if text.contains("cargo build") || text.contains("cargo install --path") {
                    out.decline(
                        runs::shown_span(site.step.instruction),
                        opaque.reason().to_owned(),
                    );
                }
                continue;
            }
            let Some(script) = site.step.script() else {
                continue;
            };
            for at in script.commands() {
                let Some(one) = builds(&at) else { continue };
                let found = Found {
                    rule: self,
                    cx,
                    sites: &sites,
                    index,
                    site,
                    script,
                    at,
                    invocation: &one,
                };
                match found.rewrite() {
                    Ok(edits) if edits.is_empty() => {}
                    Ok(edits) => {
                        let message = "every edit of a source file compiles all dependencies again";
                        let title = "keep what `cargo` downloads and builds in cache mounts";
                        out.report(at.command.span, message, cx.fix(title, edits));
                    }
                    Err(reason) => out.decline(at.command.span, reason),
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        vec!["cargo"]
    }
}

/// The command as one that builds the project it stands in.
fn builds(at: &CommandAt<'_>) -> Option<Invocation> {
    let one = cargo(at)?;
    let ours = match one.subcommand_name.as_str() {
        "build" | "b" => true,
        "install" => one.flags_named("--path").next().is_some(),
        _ => false,
    };
    ours.then_some(one)
}

fn cargo(at: &CommandAt<'_>) -> Option<Invocation> {
    invocation(&at.command.words).filter(|one| one.manager.name == "cargo")
}

/// A command that builds a project, in its step and file.
struct Found<'a> {
    rule: &'a RustBuildCache,
    cx: &'a PassContext<'a>,
    sites: &'a Sites<'a>,
    /// The number of the step in the file.
    index: usize,
    site: &'a Site<'a>,
    script: &'a Script,
    at: CommandAt<'a>,
    invocation: &'a Invocation,
}

impl Found<'_> {
    /// The edits of the step; none where it has the mounts.
    fn rewrite(&self) -> Result<Vec<Edit>, String> {
        if existing(self.site.step).contains(&self.rule.target) {
            return Ok(Vec::new());
        }
        if let Some(reason) = self.obstacle().or_else(|| self.misplaced()) {
            return Err(reason);
        }
        let needs = Needs::of(self);
        needs.builds_alone()?;
        let build = build::read(self)?;
        let folders = match needs.fetches_before() {
            true => Vec::new(),
            false => self.folders()?,
        };
        let programs = needs.programs(&build, &folders)?;
        let mut mounts = folders;
        mounts.push(self.build_mount(&build));
        self.edits(&build, &programs, &mounts)
    }

    fn place(&self) -> Place<'_> {
        self.place_of(self.site)
    }

    fn place_of(&self, site: &Site<'_>) -> Place<'_> {
        let steps = &self.cx.stages[site.stage].steps;
        let at = site.step.instruction.span;
        Place {
            cx: self.cx,
            stage: site.stage,
            step: steps.partition_point(|step| step.instruction.span.start < at.start),
        }
    }

    /// Why the step can have no mounts.
    fn obstacle(&self) -> Option<String> {
        let step = self.site.step;
        if let Some(reason) = frontend::obstacle(self.cx.file) {
            return Some(reason);
        }
        if step.before.base().family.is_none() {
            return Some("nothing is known of the base image".to_owned());
        }
        if step.before.is_root() != Some(true) {
            return Some("the user of the step is not root, or not known".to_owned());
        }
        let network = step.instruction.flag("network");
        if network.is_some_and(|flag| flag.value.as_deref() == Some("none")) {
            return Some("the step has no network".to_owned());
        }
        let workdir = step.before.workdir();
        let Some(workdir) = workdir else {
            return Some("the working directory is not known".to_owned());
        };
        let over = |path: &str| step.mounts_over(path);
        if workdir != "/" && over(workdir) || over(&self.rule.target) {
            return Some("a mount of the step lies over where it works".to_owned());
        }
        let is_near = |path: &str| path.starts_with("/cache/") || path == "/cache";
        is_near(workdir).then(|| format!("the working directory is near `{}`", self.rule.target))
    }

    /// Why nothing can be written before and behind the command.
    fn misplaced(&self) -> Option<String> {
        let (script, at) = (self.script, &self.at);
        match at.inside {
            Some(Inside::Pipeline) => {
                return Some("the output of the build goes into a pipe".to_owned());
            }
            Some(_) => return Some("the build is inside an `if`, a loop or a subshell".to_owned()),
            None => {}
        }
        if let Some(reason) = ending::obstacle(self.site.step, script, &[*at]) {
            return Some(reason.to_owned());
        }
        if self.invocation.command != 0 {
            return Some("another command runs `cargo`".to_owned());
        }
        let operator = |index: usize| script.statements.get(index)?.operator.map(|(one, _)| one);
        let before = at.top.checked_sub(1).and_then(operator);
        let behind = operator(at.top);
        let joined = matches!(before, None | Some(Operator::And | Operator::Semicolon))
            && matches!(behind, None | Some(Operator::And));
        (!joined).then(|| "what stands beside `cargo` runs whether it succeeds or not".to_owned())
    }

    /// The mounts over the folders of crates that the step has not.
    fn folders(&self) -> Result<Vec<CacheMount>, String> {
        let step = self.site.step;
        let there = existing(step);
        let mut mounts = Vec::new();
        for cache in &self.rule.caches {
            let mount = CacheMount::over(cache, step.before, None, "")?;
            if there.contains(&mount.target) {
                continue;
            }
            if step.mounts_over(&mount.target) {
                return Err(format!("a mount of the step lies over `{}`", mount.target));
            }
            mounts.push(mount);
        }
        Ok(mounts)
    }

    /// The build directory of one package on one image; two builds at once would spoil it.
    fn build_mount(&self, build: &Build) -> CacheMount {
        let state = self.site.step.before;
        let image = cache_folder::release(state).unwrap_or_else(|| image_words(state).join("-"));
        CacheMount {
            target: self.rule.target.clone(),
            id: Some(format!("target-{}-{image}", build.package)),
            sharing: Some("locked".to_owned()),
            owner: String::new(),
        }
    }

    fn edits(
        &self,
        build: &Build,
        programs: &[String],
        mounts: &[CacheMount],
    ) -> Result<Vec<Edit>, String> {
        let (cx, step, script) = (self.cx, self.site.step, self.script);
        let target = &self.rule.target;
        let is_last = script.statements.len() == self.at.top + 1;
        let joint = self.joint(is_last);
        let assignment = format!("CARGO_TARGET_DIR={target} ");
        let clean = build::cleaning(self, build);
        let before = [&*clean, &*joint, &*assignment].concat();
        let mut edits = rest::without_cleaning(self, mounts)?;
        edits.push(Edit::insert(self.at.command.span.start, before));
        if let Some(Output { profile, shown, .. }) = &build.output {
            let files = programs
                .iter()
                .map(|name| format!("{target}/{profile}/{name}"));
            let files: Vec<String> = files.collect();
            let commands = [
                format!("mkdir -p {shown}"),
                format!("cp {} {shown}/", files.join(" ")),
            ];
            let instruction = step.instruction;
            let copy = match is_last {
                true => append_lines(instruction, script, cx.text, &commands),
                false => {
                    let both = commands.join(&joint);
                    insert_command(instruction, script, cx.text, self.at.top, &both)
                }
            };
            edits.push(copy.ok_or("there is no place behind the build to write a command")?);
        }
        let flags: Vec<String> = mounts.iter().map(CacheMount::flag).collect();
        let flags = run_flags::insertion(cx.text, step, script, &flags, &edits);
        edits.push(flags.ok_or("what would have to go stands too close together")?);
        Ok(edits)
    }

    /// What joins the commands that are added to the build.
    fn joint(&self, is_last: bool) -> String {
        let (instruction, script, text) = (self.step().instruction, self.script, self.cx.text);
        let layout = Layout::of(instruction, script, text);
        let joint = match (is_last, layout.single_line) {
            (true, _) => line_joint(instruction, script, text),
            (false, true) => b" && ".to_vec(),
            (false, false) => layout.break_before_command(),
        };
        String::from_utf8_lossy(&joint).into_owned()
    }

    /// The state before the step, and the step.
    fn step(&self) -> &Step<'_> {
        self.site.step
    }
}
