//! The installs of a stage, each with the directory of the build context that it installs for and what it reads there.

use super::brought::Brought;
use super::tools::Tools;
use crate::context::{Entry, MemoryContext, path};
use crate::model::managers::{self, Invocation, invocation};
use crate::model::script::Opaque;
use crate::pass::project_place::Place;
use crate::pass::reads::{Early, Install, Reads, is_read, reads};
use crate::pass::runs::Step;
use crate::project::Project;
use crate::syntax::shell::{Command, CommandAt, Script, Word};
use crate::text::Span;

/// An install behind a COPY of the source.
pub(super) struct Found {
    /// The step, and the top-level statement of its script.
    pub(super) step: usize,
    pub(super) top: usize,
    /// Whether it is that statement itself.
    pub(super) is_top: bool,
    /// Where it stands in the file.
    pub(super) span: Span,
    /// The directory in the image in which it works; empty where that is not known.
    pub(super) directory: String,
    /// The package manager.
    pub(super) manager: &'static str,
    /// Whether it fails without a lock file.
    pub(super) strict: bool,
    /// What it reads, or why that is not known.
    pub(super) reads: Result<Needs, String>,
}

impl Found {
    /// Whether the COPYs before it bring what it cannot do without: something, and a lock file where it needs one.
    pub(super) fn is_fed(&self, brought: &[Brought<'_>]) -> bool {
        let before = || brought.iter().filter(|one| one.step < self.step);
        let Ok(needs) = &self.reads else {
            return false;
        };
        let mut locks = needs
            .places
            .iter()
            .filter(|(from, _)| self.is_own_lock(path::file_name(from)));
        let locked = locks.any(|(from, to)| before().any(|one| one.puts(from, to)));
        before().any(|one| self.has_part_of(one)) && (locked || !self.strict)
    }

    fn is_own_lock(&self, name: &str) -> bool {
        let mut managers = managers::all().iter();
        let own = managers.find(|one| one.name == self.manager);
        own.is_some_and(|own| own.locks.iter().any(|lock| lock == name))
    }

    fn has_part_of(&self, copy: &Brought<'_>) -> bool {
        let needs = self.reads.as_ref();
        needs.is_ok_and(|needs| needs.places.iter().any(|(from, to)| copy.puts(from, to)))
    }

    /// Whether it needs nothing fetched any more once `other` has run: that one reads all that it reads.
    pub(super) fn finds_what_is_fetched_by(&self, other: &Self) -> bool {
        let (Ok(own), Ok(others)) = (&self.reads, &other.reads) else {
            return false;
        };
        let fetches = matches!(own.reads.early, Early::Fetch(_));
        let is_read = |place: &(String, String)| others.places.contains(place);
        fetches && self.manager == other.manager && own.places.iter().all(is_read)
    }
}

/// An install that ran before the source came.
#[derive(Clone)]
pub(super) struct Done {
    directory: String,
    manager: &'static str,
    /// What it read, by its places in the context and in the image, where that is known.
    places: Option<Vec<(String, String)>>,
}

impl Done {
    pub(super) fn of(found: &Found) -> Self {
        Self {
            directory: found.directory.clone(),
            manager: found.manager,
            places: found.reads.as_ref().ok().map(|needs| needs.places.clone()),
        }
    }

    /// Whether `found` does again what this did: it works in the same directory, or only fetches what this fetched.
    pub(super) fn did(&self, found: &Found) -> bool {
        if self.manager != found.manager {
            return false;
        }
        let related = || {
            path::below(&found.directory, &self.directory).is_some()
                || path::below(&self.directory, &found.directory).is_some()
        };
        let fetched = |needs: &Needs| match (&needs.reads.early, &self.places) {
            (Early::Itself, _) => false,
            (Early::Fetch(_), None) => related(),
            (Early::Fetch(_), Some(all)) => needs.places.iter().all(|place| all.contains(place)),
        };
        self.directory == found.directory || found.reads.as_ref().is_ok_and(fetched)
    }
}

/// What an install reads, by its places in the context and in the image.
pub(super) struct Needs {
    /// What the ecosystem says.
    pub(super) reads: Reads,
    /// Each file or directory: its path in the context, and in the image.
    pub(super) places: Vec<(String, String)>,
}

/// How many commands of step `place` may install for a project.
pub(super) fn count(place: &Place<'_>) -> usize {
    let script = place.step().script();
    let commands = script.map(Script::commands).unwrap_or_default();
    let words = commands.iter().map(|at| &at.command.words);
    let known = words.filter_map(|words| invocation(words));
    known.filter(|one| is_read(one.manager)).count()
}

/// The installs of step `place` that are for a project which `brought` may have copied.
pub(super) fn of_step(place: &Place<'_>, brought: &[Brought<'_>], tools: &Tools) -> Vec<Found> {
    let Some(script) = place.step().script() else {
        return Vec::new();
    };
    let commands = script.commands();
    let found = commands
        .iter()
        .filter_map(|at| of_command(place, script, at, (brought, tools)));
    found.collect()
}

fn of_command(
    place: &Place<'_>,
    script: &Script,
    at: &CommandAt<'_>,
    (brought, tools): (&[Brought<'_>], &Tools),
) -> Option<Found> {
    let one = invocation(&at.command.words).filter(|one| is_read(one.manager))?;
    let found = |directory: &str, reads| Found {
        step: place.step,
        top: at.top,
        is_top: at.inside.is_none(),
        span: at.command.span,
        directory: directory.to_owned(),
        manager: one.manager.name.as_str(),
        strict: is_strict(&one),
        reads,
    };
    let Some(directory) = place.directory(script, at, &one) else {
        let unknown = Err("the directory of the install is not known".to_owned());
        return is_of_a_project(at.command).then(|| found("", unknown));
    };
    let mut refused = None;
    for directory in directories(&directory, &one) {
        for root in roots(place, brought, &directory) {
            let project = Project::new(place.cx.context, &root);
            let install = Install {
                command: at.command,
                invocation: &one,
                directory: &directory,
                context: place.cx.context,
                root: &root,
                project: &project,
            };
            let named = tools.named_by(&one.manager.name, place.step().before);
            let named = named.map_or(Ok(()), |name| Err(format!("`{name}` is set")));
            match reads(&install)?.and_then(|reads| named.map(|()| reads)) {
                Ok(reads) => return Some(found(&directory, placed(reads, &root, &directory))),
                Err(reason) => refused = refused.or(Some((directory.clone(), reason))),
            }
        }
    }
    let alone = || {
        let reason = format!("the project in `{directory}` is not in the build context");
        is_of_a_project(at.command).then_some((directory, reason))
    };
    let refused = refused.or_else(alone);
    refused.map(|(directory, reason)| found(&directory, Err(reason)))
}

/// Whether an install takes what the lock file says, and fails without one.
fn is_strict(one: &Invocation) -> bool {
    const COMMANDS: [&str; 5] = ["ci", "clean-install", "install-clean", "fetch", "sync"];
    const FLAGS: [&str; 7] = [
        "--frozen-lockfile",
        "--immutable",
        "--immutable-cache",
        "--frozen",
        "--locked",
        "--deploy",
        "--ignore-pipfile",
    ];
    let command = COMMANDS.contains(&one.subcommand_name.as_str());
    let of_itself = command && !matches!(one.manager.name.as_str(), "uv" | "poetry");
    let mut flags = one.flags.iter();
    of_itself || flags.any(|flag| FLAGS.contains(&flag.name.as_str()))
}

/// Whether a command installs for the project in whose directory it runs, whatever that holds.
pub(super) fn is_of_a_project(command: &Command) -> bool {
    let context = MemoryContext::default();
    let project = Project::new(&context, "");
    let Some(one) = invocation(&command.words) else {
        return false;
    };
    let install = Install {
        command,
        invocation: &one,
        directory: "/",
        context: &context,
        root: "",
        project: &project,
    };
    reads(&install).is_some()
}

/// Why the commands of a step are not known, where one of them looks like an install of a project.
pub(super) fn unread(step: &Step<'_>) -> Option<&'static str> {
    let why = step.opaque()?;
    let text = match why {
        Opaque::ExecForm => step
            .instruction
            .words()
            .iter()
            .map(|word| word.text.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::from_utf8_lossy(step.instruction.args_text()).into_owned(),
    };
    let commands = text.split(['&', ';', '|', '\n']);
    let looks_like = |text: &str| {
        let words = text
            .split_whitespace()
            .filter(|word| !matches!(*word, "\\" | "`"));
        let words = words.map(|text| Word {
            span: step.instruction.span,
            text: text.to_owned(),
            literal: Some(text.to_owned()),
            substitutions: Vec::new(),
        });
        let command = Command {
            span: step.instruction.span,
            assignments: Vec::new(),
            words: words.collect(),
            redirects: Vec::new(),
        };
        is_of_a_project(&command)
    };
    commands.into_iter().any(looks_like).then(|| why.reason())
}

/// The directory in which a command works, and those of the manifests that it names.
fn directories(works_in: &str, one: &Invocation) -> Vec<String> {
    let mut all = vec![works_in.to_owned()];
    for manifest in one
        .manifests
        .iter()
        .filter_map(|value| value.text.as_deref())
    {
        if manifest.starts_with('/') {
            all.push(path::parent(&path::clean(manifest)).to_owned());
        }
    }
    all.retain(|directory| !directory.is_empty());
    all.dedup();
    all
}

/// The directories of the context that may have been copied to `directory`, those of the nearest COPY first.
fn roots(place: &Place<'_>, brought: &[Brought<'_>], directory: &str) -> Vec<String> {
    let before = brought.iter().rev().filter(|one| one.step < place.step);
    let mut roots: Vec<String> = Vec::new();
    for root in before.flat_map(|one| one.roots(directory)) {
        let is_there = place.cx.context.entry(&root) == Some(Entry::Directory);
        if is_there && !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// What is read, by its places.
fn placed(reads: Reads, root: &str, directory: &str) -> Result<Needs, String> {
    let mut places = Vec::new();
    for read in &reads.paths {
        let from = path::resolve_from(root, read)
            .ok_or_else(|| format!("`{read}` is outside the build context"))?;
        let to = path::clean(&format!("{directory}/{read}"));
        places.push((from, to));
    }
    Ok(Needs { reads, places })
}

/// Whether a file is the lock file of a package manager.
pub(super) fn is_lock(name: &str) -> bool {
    let mut locks = managers::all().iter().flat_map(|one| &one.locks);
    locks.any(|lock| lock == name)
}
