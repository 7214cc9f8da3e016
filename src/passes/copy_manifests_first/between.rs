//! What may run before the source is there: the steps between a COPY and the last install that can be moved over it.

use super::brought::Brought;
use super::installs::Found;
use super::tools::is_elsewhere;
use super::{CopyManifestsFirst, cut};
use crate::context::path;
use crate::model::state::State;
use crate::pass::project_place::{Place, first_words};
use crate::pass::reads::Early;
use crate::pass::runs::{Step, shown_span};
use crate::syntax::Keyword;
use crate::syntax::shell::{CommandAt, Operator, Script, Word};

/// What becomes of a step between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It comes before the source.
    Early,
    /// Its statements up to this one, that one left out, come before the source; the others stay behind it.
    Split(usize),
    /// It stays behind the source.
    Late,
}

/// The steps behind a COPY up to the last install that is moved, and what becomes of each.
#[derive(Default)]
pub(super) struct Moves {
    /// Step and fate, in order.
    pub(super) fates: Vec<(usize, Fate)>,
    /// The installs that run early, by number.
    pub(super) installs: Vec<usize>,
    /// What fetches dependencies and is added in front of the source; the install that it is for, by number.
    pub(super) fetch: Option<(String, usize)>,
    /// Why no step behind these can be moved.
    pub(super) stopped: String,
    /// Why an install itself cannot be moved any more: what stays behind the source stands before it.
    pub(super) blocked: Option<String>,
    /// Whether the source is written with an absolute destination.
    pub(super) absolute: bool,
    /// The manager that RUNs behind the source call, which is there without them.
    pub(super) tool: Option<&'static str>,
}

/// The steps behind one COPY.
pub(super) struct Between<'a> {
    pub(super) pass: &'a CopyManifestsFirst,
    pub(super) place: Place<'a>,
    pub(super) brought: &'a [Brought<'a>],
    pub(super) found: &'a [Found],
    /// What all installs read: places in the context.
    pub(super) reads: &'a [String],
    /// The COPY.
    pub(super) source: &'a Brought<'a>,
    /// Whether the COPY is written with an absolute destination, which means the same behind another WORKDIR.
    pub(super) absolute: bool,
}

impl Moves {
    /// Whether an install could run early but for what stays behind the source.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }
}

impl Between<'_> {
    /// Which steps move.
    pub(super) fn moves(&self) -> Moves {
        let mut moves = Moves {
            absolute: self.absolute,
            ..Moves::default()
        };
        let mut settled = (0, 0);
        for index in self.source.step + 1..self.place.stage().steps.len() {
            let fate = match self.fate(index, &mut moves) {
                Ok(fate) => fate,
                Err(stopped) => {
                    moves.stopped = stopped;
                    break;
                }
            };
            moves.fates.push((index, fate));
            let installs = moves.installs.len() + usize::from(moves.fetch.is_some());
            if installs > settled.1 {
                settled = (moves.fates.len(), installs);
            }
            if moves.fetch.is_some() || matches!(fate, Fate::Split(_)) {
                moves.stopped = "a step that needs the source stands before it".to_owned();
                break;
            }
        }
        moves.fates.truncate(settled.0);
        moves
    }

    pub(super) fn step(&self, index: usize) -> &Step<'_> {
        &self.place.stage().steps[index]
    }

    fn fate(&self, index: usize, moves: &mut Moves) -> Result<Fate, String> {
        let instruction = self.step(index).instruction;
        let shown = || first_words(&self.place.cx.shown(shown_span(instruction)));
        let has_late = moves.fates.iter().any(|one| one.1 == Fate::Late);
        match instruction.keyword {
            Keyword::Run => self.run(index, moves),
            Keyword::Copy | Keyword::Add => self.copy(index),
            Keyword::Workdir | Keyword::Env | Keyword::Arg | Keyword::User => {
                let changed = || format!("the COPY would mean something else behind `{}`", shown());
                let blocked = match self.passes_copies(index, moves) {
                    true => moves.blocked.clone(),
                    false => Some(moves.blocked.clone().unwrap_or_else(changed)),
                };
                match (blocked, instruction.keyword) {
                    (None, _) => Ok(Fate::Early),
                    (Some(blocked), Keyword::Workdir) => {
                        moves.blocked.get_or_insert(blocked);
                        Ok(Fate::Late)
                    }
                    (Some(blocked), _) => Err(blocked),
                }
            }
            Keyword::Label
            | Keyword::Expose
            | Keyword::Cmd
            | Keyword::Entrypoint
            | Keyword::Healthcheck
            | Keyword::Stopsignal
            | Keyword::Maintainer => Ok(if has_late { Fate::Late } else { Fate::Early }),
            _ => Err(format!(
                "`{}` stands between the COPY and the install",
                shown()
            )),
        }
    }

    /// Whether the COPYs that stay behind the source mean the same behind step `index`, which changes the state.
    fn passes_copies(&self, index: usize, moves: &Moves) -> bool {
        let late = moves.fates.iter().filter(|one| one.1 == Fate::Late);
        let mut late = late.map(|one| one.0).chain([self.source.step]);
        let stage = self.place.stage();
        let changes = self.step(index).instruction.keyword;
        let is_place = matches!(changes, Keyword::Workdir | Keyword::User);
        let may_be_absolute =
            self.absolute && changes == Keyword::Workdir && self.source.is_plain();
        let next = stage.steps.get(index + 1);
        let state = next.map_or(&stage.model.end, |next| next.before);
        late.all(|step| match self.step(step).instruction.keyword {
            Keyword::Copy | Keyword::Add => {
                self.means_the_same(step, state) || may_be_absolute && step == self.source.step
            }
            // A RUN is where a WORKDIR leads, and who a USER names.
            Keyword::Run => !is_place,
            _ => false,
        })
    }

    /// Whether the words of COPY `index` mean the same in `state`.
    fn means_the_same(&self, index: usize, state: &State) -> bool {
        let step = self.step(index);
        let escape = self.place.cx.file.escape.byte();
        let words = step.instruction.words();
        let expanded = |state: &State| -> Option<Vec<String>> {
            let words = words
                .iter()
                .map(|word| state.expand(&word.text, escape).ok());
            words.collect()
        };
        let to = |state: &State| {
            let all = expanded(state)?;
            let absolute = state.absolute(all.last()?)?;
            Some((all[..all.len() - 1].to_vec(), absolute))
        };
        let flags = step.instruction.flags.iter();
        let literal = !flags
            .filter_map(|flag| flag.value.as_deref())
            .any(|value| value.contains('$'));
        literal && to(step.before).is_some() && to(step.before) == to(state)
    }

    fn run(&self, index: usize, moves: &mut Moves) -> Result<Fate, String> {
        let step = self.step(index);
        let shown = || first_words(&self.place.cx.shown(step.instruction.args_span));
        let here: Vec<usize> = (0..self.found.len())
            .filter(|one| self.found[*one].step == index)
            .collect();
        if !step.instruction.heredocs.is_empty() {
            return Err("the script is a here-document".to_owned());
        }
        let Some(script) = step.script() else {
            return Err(format!("the commands of `{}` are not known", shown()));
        };
        let binds = step.instruction.flags.iter().any(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            flag.name == "mount"
                && !["type=cache", "type=secret", "type=ssh", "type=tmpfs"]
                    .iter()
                    .any(|kind| value.contains(kind))
        });
        if binds {
            return Err(format!("`{}` mounts files", shown()));
        }
        let early = script.statements.iter().enumerate();
        let early = early
            .take_while(|(top, _)| self.is_early(script, index, *top, &here))
            .count();
        let is_done = |one: &&usize| self.found[**one].top < early;
        let done: Vec<usize> = here.iter().filter(is_done).copied().collect();
        if early == script.statements.len() {
            if let Some(blocked) = &moves.blocked {
                return Err(blocked.clone());
            }
            moves.installs.extend(done);
            return Ok(Fate::Early);
        }
        let next = here.iter().find(|one| self.found[**one].top == early);
        let fetch = next.or_else(|| {
            here.first()
                .filter(|one| self.leads_to(script, early, **one))
        });
        if let Some(fetch) = fetch
            && let Ok(needs) = &self.found[*fetch].reads
            && let Early::Fetch(command) = &needs.reads.early
            && self.found[*fetch].is_top
            && done.is_empty()
            && !self.is_fetched(*fetch, moves)
        {
            let at = self.found[*fetch].top;
            return self.fetch(script, at, command, *fetch, moves);
        }
        if here.is_empty() && self.gives_modes(index, script) {
            return Ok(Fate::Late);
        }
        let Some(last) = done.iter().map(|one| self.found[*one].top).max() else {
            let refused = next.and_then(|one| self.found[*one].reads.as_ref().err());
            let statement = &script.statements[early];
            let statement = first_words(&self.place.cx.shown(statement.span));
            let reason = match refused {
                Some(_) => format!("`{}` installs from the source", shown()),
                None if here.is_empty() => {
                    format!("`{}` stands between, and may need the source", shown())
                }
                None => format!("`{statement}` comes first, and may need the source"),
            };
            let tools = &self.pass.tools;
            let steady = tools.steady(script).filter(|_| here.is_empty());
            let one_tool = moves.tool.is_none() || moves.tool == steady;
            if let Some(tool) = steady.filter(|_| one_tool) {
                moves.tool = Some(tool);
                moves.blocked.get_or_insert(reason);
                return Ok(Fate::Late);
            }
            let aside = here.is_empty() && tools.leaves_installs_alone(script);
            moves.blocked.get_or_insert_with(|| reason.clone());
            return if aside { Ok(Fate::Late) } else { Err(reason) };
        };
        if let Some(blocked) = &moves.blocked {
            return Err(blocked.clone());
        }
        cut::splittable(step, script, last + 1)?;
        cut::stays_small(self.place, script, last + 1, cut::deletes)?;
        moves.installs.extend(done);
        Ok(Fate::Split(last + 1))
    }

    /// Whether a statement reads nothing of the source but what the installs read.
    fn is_early(&self, script: &Script, index: usize, top: usize, here: &[usize]) -> bool {
        let statement = &script.statements[top];
        if matches!(statement.operator, Some((Operator::Background, _))) {
            return false;
        }
        // Behind `||` an install runs only where what stands before it fails.
        let before = top.checked_sub(1).map(|before| &script.statements[before]);
        let may_run = before.is_some_and(|one| matches!(one.operator, Some((Operator::Or, _))));
        let installs = |one: &usize| statement.span.contains(self.found[*one].span);
        if may_run && here.iter().any(installs) {
            return false;
        }
        if self.pass.tools.is_installer(statement, &self.source.to) {
            return true;
        }
        let commands = script.commands();
        let mut inside = commands.iter().filter(|at| at.top == top);
        inside.all(|at| {
            let install = here
                .iter()
                .map(|one| &self.found[*one])
                .find(|one| one.span == at.command.span);
            match install {
                Some(found) => {
                    let itself = found
                        .reads
                        .as_ref()
                        .is_ok_and(|needs| needs.reads.early == Early::Itself);
                    itself && found.is_top && at.command.redirects.is_empty()
                }
                None => {
                    self.pass.tools.is_tool(at, &self.source.to)
                        || self.is_of_settings(at)
                        || self.is_environment(at, index)
                }
            }
        })
    }

    /// Whether step `index` only gives modes or owners to files by their names, of which no install reads or writes one.
    pub(super) fn gives_modes(&self, index: usize, script: &Script) -> bool {
        let state = self.step(index).before;
        let is_apart = |word: &Word| {
            let path = word
                .literal
                .as_deref()
                .and_then(|path| state.absolute(path));
            path.is_some_and(|path| {
                let holds = |inner: &str| path::below(inner, &path).is_some();
                let written = self
                    .found
                    .iter()
                    .filter_map(|one| Some((one, one.reads.as_ref().ok()?)));
                let mut written = written.flat_map(|(one, needs)| {
                    let writes = needs.reads.writes.iter();
                    writes.map(|name| path::clean(&format!("{}/{name}", one.directory)))
                });
                !word.text.starts_with('-')
                    && !is_of_the_system(&path)
                    && !self.places().any(holds)
                    && !written.any(|name| holds(&name) || path::below(&path, &name).is_some())
            })
        };
        let gives = |at: &CommandAt<'_>| {
            let words = &at.command.words;
            let named = matches!(at.command.name(), Some("chmod" | "chown"));
            named
                && at.inside.is_none()
                && at.command.redirects.is_empty()
                && at.command.assignments.is_empty()
                && words.len() > 2
                && words[1]
                    .literal
                    .as_deref()
                    .is_some_and(|word| !word.starts_with('-'))
                && words[2..].iter().all(is_apart)
        };
        let commands = script.commands();
        !commands.is_empty() && commands.iter().all(gives)
    }

    /// Whether a command of step `index` makes a virtual environment where no COPY brings anything.
    fn is_environment(&self, at: &CommandAt<'_>, index: usize) -> bool {
        let state = self.step(index).before;
        let words: Vec<&str> = at
            .command
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        let ["python" | "python3", "-m", "venv", options @ .., path] = words.as_slice() else {
            return false;
        };
        let plain = at.inside.is_none() && options.iter().all(|word| word.starts_with("--"));
        let path = path.trim_matches('"');
        let path = state.expand(path, self.place.cx.file.escape.byte()).ok();
        let path = path.and_then(|path| state.absolute(&path));
        let brings = |path: &str| self.brought.iter().any(|one| one.reaches(path));
        plain && path.is_some_and(|path| path != self.source.to && !brings(&path))
    }

    /// Whether a command reads variables of a file that a step before wrote word for word.
    fn is_of_settings(&self, at: &CommandAt<'_>) -> bool {
        let [name, file] = at.command.words.as_slice() else {
            return false;
        };
        let Some(file) = file.literal.as_deref().filter(|_| at.inside.is_none()) else {
            return false;
        };
        let reads = matches!(name.text.as_str(), "." | "source");
        let writes = |place: &Place<'_>| {
            let commands = place.step().script().map(Script::commands);
            commands.into_iter().flatten().any(|one| {
                let says = matches!(one.command.name(), Some("echo" | "printf"));
                let mut targets = one.command.redirects.iter();
                says && targets.any(|to| to.target.literal.as_deref() == Some(file))
            })
        };
        let apart = is_elsewhere(file, &self.source.to);
        reads && apart && self.place.before().iter().any(writes)
    }
}

/// Whether a project may lie in a directory beside what package managers of the distribution read.
pub(super) fn is_shared_with_system(directory: &str) -> bool {
    matches!(directory.trim_end_matches('/'), "" | "/home" | "/root")
}

/// Whether package managers may read what stands there without being told, or below it.
pub(super) fn is_of_the_system(directory: &str) -> bool {
    const WHOLE: [&str; 4] = ["/", "/var", "/root", "/home"];
    WHOLE.contains(&directory) || is_in_system(directory)
}

/// Whether package managers may read what stands there without being told.
pub(super) fn is_in_system(file: &str) -> bool {
    const SYSTEM: [&str; 15] = [
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/lib",
        "/lib64",
        "/proc",
        "/run",
        "/sbin",
        "/sys",
        "/usr",
        "/var/lib",
        "/var/cache",
        "/var/log",
        "/var/run",
    ];
    // Where programs that are no part of the distribution are put.
    const FREE: [&str; 3] = ["/usr/src", "/usr/app", "/usr/local/app"];
    let is_in = |outer: &&str| path::below(file, outer).is_some();
    let hidden = file.split('/').skip(2).any(|part| part.starts_with('.'));
    let in_home = ["/root", "/home"].iter().any(is_in);
    in_home && hidden || SYSTEM.iter().any(is_in) && !FREE.iter().any(is_in)
}
