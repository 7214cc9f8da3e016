//! What each step of the stage is for: the build, what runs, or the configuration of the image.

use super::again;
use super::kept::Kept;
use super::{At, For, Language, SplitStages};
use crate::context::path;
use crate::model::managers::{Kind, Role, invocation};
use crate::model::state::Origin;
use crate::pass::PassContext;
use crate::pass::command;
use crate::pass::project_place::{Place, first_words};
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Step, shown_span};
use crate::syntax::Keyword;
use crate::syntax::shell::Command;

/// Commands that leave nothing behind.
const NEUTRAL: [&str; 16] = [
    ":", "[", "cd", "date", "dir", "echo", "export", "false", "ls", "nproc", "printf", "pwd",
    "set", "test", "true", "unset",
];

/// Commands that make users and groups.
const ACCOUNTS: [&str; 6] = [
    "useradd", "adduser", "groupadd", "addgroup", "usermod", "groupmod",
];

/// Why a package stays behind.
pub(super) const BUILD_ONLY: &str = "left behind: for the build alone";

/// Why what sets the state of a stage is in both.
const STARTS: &str = "in both stages: what runs starts in this state";

/// Why a step of the builder is in the stage that ships alone.
const CONFIGURES: &str = "in the stage that ships: it configures the image";

/// The steps of a stage, taken apart.
pub(super) struct Parts {
    /// The last step of the builder.
    pub(super) last: usize,
    /// The steps up to there that the runtime stage says too.
    pub(super) both: Vec<usize>,
    /// Those up to there that only the runtime stage says.
    pub(super) image: Vec<usize>,
    /// Whether the runtime stage runs a command.
    pub(super) runs: bool,
    /// Packages that the runtime stage installs too.
    pub(super) kept: Kept,
    /// Why each is where it is.
    pub(super) reasons: Reasons,
}

impl Parts {
    pub(super) fn of(
        rule: &SplitStages,
        cx: &PassContext<'_>,
        language: &mut dyn Language,
    ) -> Result<Self, String> {
        let steps = &cx.stages[0].steps;
        let mut parts = Self {
            last: 0,
            both: Vec::new(),
            image: Vec::new(),
            runs: false,
            kept: Kept::default(),
            reasons: Reasons::default(),
        };
        let mut accounts = Vec::new();
        let mut builds = None;
        for (at, _) in steps.iter().enumerate().filter(|(_, step)| step.is_run()) {
            let place = Place {
                cx,
                stage: 0,
                step: at,
            };
            match purpose(rule, place, language, &mut parts)? {
                For::Build => builds = Some(at),
                For::Both => accounts.push(at),
            }
        }
        parts.last = builds.ok_or("no step builds anything")?;
        for (at, step) in steps.iter().enumerate() {
            if at > parts.last {
                parts.runs |= step.is_run();
                continue;
            }
            match step.instruction.keyword {
                Keyword::Env if sets_for_build_only(step, language) => {
                    for pair in step.instruction.pairs() {
                        parts
                            .reasons
                            .say(&pair.key.text, "left behind: read by the build alone");
                    }
                }
                Keyword::Env | Keyword::User | Keyword::Workdir => {
                    if step.instruction.keyword == Keyword::Env {
                        needs_no_base(cx, step)?;
                    }
                    parts.reasons.say(shown(cx, step), STARTS);
                    parts.both.push(at);
                }
                Keyword::Copy | Keyword::Add if language.repeats(step.instruction) => {
                    parts.both.push(at);
                }
                Keyword::Run if accounts.contains(&at) => {
                    let shown = first_words(&cx.shown(step.instruction.args_span));
                    let why = "in both stages: may be needed when the program runs";
                    parts.reasons.say(shown, why);
                    parts.both.push(at);
                }
                Keyword::Arg | Keyword::Run | Keyword::Copy | Keyword::Add => {}
                _ => {
                    parts.reasons.say(shown(cx, step), CONFIGURES);
                    parts.image.push(at);
                }
            }
        }
        parts.runs |= accounts.iter().any(|at| *at < parts.last);
        parts.leave_brought_again(cx);
        parts.declare_arguments(cx);
        Ok(parts)
    }

    /// A COPY is not said again where a later one that is said brings the same.
    fn leave_brought_again(&mut self, cx: &PassContext<'_>) {
        let said = self.both.clone();
        let steps = &cx.stages[0].steps;
        let is_said = |at: usize| at > self.last || said.contains(&at);
        let is_copy =
            |at: usize| matches!(steps[at].instruction.keyword, Keyword::Copy | Keyword::Add);
        for at in said.iter().copied().filter(|at| is_copy(*at)) {
            let shown = cx.shown(shown_span(steps[at].instruction));
            if again::is_brought_again(cx, at, is_said) {
                self.both.retain(|one| *one != at);
                let why = "left behind: a later COPY brings the same";
                self.reasons.say(shown, why);
            } else {
                let why = "in both stages: may be read when the program runs";
                self.reasons.say(shown, why);
            }
        }
    }

    /// An ARG is said again where something that the runtime stage says names it.
    fn declare_arguments(&mut self, cx: &PassContext<'_>) {
        let steps = &cx.stages[0].steps;
        let text = |at: usize| String::from_utf8_lossy(steps[at].instruction.args_text());
        let behind = self.last + 1..steps.len();
        let said: Vec<usize> = self
            .both
            .iter()
            .chain(&self.image)
            .copied()
            .chain(behind)
            .collect();
        let mut arguments = Vec::new();
        for (at, step) in steps[..self.last].iter().enumerate() {
            if step.instruction.keyword != Keyword::Arg {
                continue;
            }
            let names = step.instruction.words().iter();
            let mut names = names.filter_map(|word| word.text.split('=').next());
            let is_named = names.any(|name| said.iter().any(|other| text(*other).contains(name)));
            if is_named {
                let why = "in both stages: what the stage that ships says names it";
                self.reasons.say(shown(cx, step), why);
                arguments.push(at);
            }
        }
        self.both.extend(arguments);
        self.both.sort_unstable();
    }
}

/// The start of an instruction, as a reason names it.
fn shown(cx: &PassContext<'_>, step: &Step<'_>) -> String {
    first_words(&cx.shown(shown_span(step.instruction)))
}

/// Whether only the build reads the variables that an ENV sets.
fn sets_for_build_only(step: &Step<'_>, language: &dyn Language) -> bool {
    let mut pairs = step.instruction.pairs().iter();
    pairs.all(|pair| language.only_builds(&pair.key.text))
}

/// No value of an ENV is made of what the old base alone sets.
fn needs_no_base(cx: &PassContext<'_>, step: &Step<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
    let of_base = step
        .before
        .variables()
        .filter(|(_, one)| one.origin == Origin::Base);
    for (name, _) in of_base.filter(|(name, _)| *name != "PATH") {
        if text.contains(&format!("${name}")) || text.contains(&format!("${{{name}")) {
            let shown = first_words(&cx.shown(step.instruction.args_span));
            return Err(format!("`{shown}` is made of a variable of the old base"));
        }
    }
    Ok(())
}

/// What a RUN is for.
fn purpose(
    rule: &SplitStages,
    place: Place<'_>,
    language: &mut dyn Language,
    parts: &mut Parts,
) -> Result<For, String> {
    let step = place.step();
    let shown = first_words(&place.cx.shown(step.instruction.args_span));
    let script = step.script();
    let script = script.ok_or_else(|| format!("what `{shown}` does cannot be read"))?;
    let mut purposes: Vec<For> = Vec::new();
    for found in script.commands() {
        let at = At {
            place,
            script,
            found,
        };
        let purpose = match language.command(&at) {
            Some(known) => Some(known?),
            None => common(rule, &at, language, parts)?,
        };
        purposes.extend(purpose);
    }
    match purposes.as_slice() {
        all if all.iter().all(|one| *one == For::Build) => Ok(For::Build),
        all if all.iter().all(|one| *one == For::Both) => Ok(For::Both),
        _ => Err(format!(
            "`{shown}` builds, and does what the program may need"
        )),
    }
}

/// What a command is for that no language knows; `None` where that is nothing.
fn common(
    rule: &SplitStages,
    at: &At<'_, '_>,
    language: &dyn Language,
    parts: &mut Parts,
) -> Result<Option<For>, String> {
    let command = at.found.command;
    let shown = first_words(&at.place.cx.shown(command.span));
    let unknown = || {
        Err(format!(
            "what `{shown}` leaves behind may be needed when the program runs"
        ))
    };
    if writes(command) {
        return unknown();
    }
    if let Some(found) = invocation(&command.words).filter(|one| one.manager.kind == Kind::System) {
        return match found.role {
            Role::UpdateIndex | Role::Clean => Ok(None),
            Role::Install if found.dynamic => {
                Err("which packages are installed is not known".to_owned())
            }
            Role::Install => {
                let names = found
                    .packages
                    .iter()
                    .map(|index| &command.words[*index].text);
                packages(rule, (at, &found.manager.name), language, names, parts)
            }
            _ => unknown(),
        };
    }
    match command::name(command) {
        None if command.words.is_empty() => Ok(None),
        Some(name) if NEUTRAL.contains(&name) => Ok(None),
        Some(name) if ACCOUNTS.contains(&name) => Ok(Some(For::Both)),
        Some("rm") => Ok(None),
        Some("mkdir") if makes_nothing_new(at) => Ok(Some(For::Build)),
        _ => unknown(),
    }
}

/// Whether a command writes a file by a redirect.
pub(super) fn writes(command: &Command) -> bool {
    command.redirects.iter().any(|redirect| {
        let to = redirect.target.literal.as_deref();
        redirect.operator.contains('>')
            && to != Some("/dev/null")
            && !redirect.operator.ends_with('&')
    })
}

fn packages<'n>(
    rule: &SplitStages,
    (at, manager): (&At<'_, '_>, &str),
    language: &dyn Language,
    names: impl Iterator<Item = &'n String>,
    parts: &mut Parts,
) -> Result<Option<For>, String> {
    for name in names {
        let plain = name.split('=').next().unwrap_or(name);
        if parts.kept.keep(at.place.cx, manager, plain) {
            continue;
        }
        let builds = rule.build_packages.iter().any(|one| one == plain);
        if !builds && !language.builds_with(plain) {
            return Err(may_need(name));
        }
        parts.reasons.say(plain, BUILD_ONLY);
    }
    Ok(Some(For::Build))
}

/// Why a package that no build alone is known for is no matter of the builder.
pub(super) fn may_need(package: &str) -> String {
    format!(
        "the program may need the package `{package}`; the option `keep-packages` takes it along"
    )
}

/// Whether all directories that `mkdir` names are made anyway: the working directory is one, or lies in it.
pub(super) fn makes_nothing_new(at: &At<'_, '_>) -> bool {
    let stage = at.place.stage();
    let workdir = stage.model.end.workdir().unwrap_or("/");
    let mut words = at.found.command.words.iter().skip(1);
    words.all(|word| match word.literal.as_deref() {
        Some(option) if option.starts_with('-') => option == "-p",
        Some(directory) => {
            directory.starts_with('/') && path::is_at_or_below(workdir, &path::clean(directory))
        }
        None => false,
    })
}

/// No command up to step `last` deletes what the runtime stage takes over.
///
/// # Errors
/// One that does, or may.
pub(super) fn keeps(cx: &PassContext<'_>, last: usize, carried: &[String]) -> Result<(), String> {
    for step in 0..=last {
        let place = Place { cx, stage: 0, step };
        let Some(script) = place.step().script() else {
            continue;
        };
        for found in script.commands() {
            if command::name(found.command) != Some("rm") {
                continue;
            }
            let directory = place.started_in(script, &found);
            let mut words = found.command.words.iter().skip(1);
            let deletes = words.any(|word| {
                let text = word.text.trim_end_matches("/*").trim_end_matches('*');
                let Some(path) = path::against(directory.as_deref(), text) else {
                    return true;
                };
                let mut carried = carried.iter();
                carried
                    .any(|one| path::is_at_or_below(one, &path) || path::is_at_or_below(&path, one))
            });
            if deletes {
                let shown = first_words(&cx.shown(found.command.span));
                return Err(format!(
                    "`{shown}` may delete what the runtime stage takes over"
                ));
            }
        }
    }
    Ok(())
}
