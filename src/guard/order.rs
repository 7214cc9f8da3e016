//! Which steps may change places: those of which neither reads what the other one writes.

use std::cell::OnceCell;

use super::Side;
use super::copies::{destination, sources};
use super::manifests::Need;
use super::mounts::covers;
use super::needs::{self, Needs};
use super::script::Shell;
use super::{directories, parts, variables};
use crate::model::Step;
use crate::syntax::shell::Command;
use crate::syntax::{Instruction, Keyword};

type At<'a, 'f> = (&'a Step<'f>, &'a Side<'f>);

/// The text by which a step is found again.
pub(super) fn text(step: &Step<'_>, _side: &Side<'_>) -> Vec<u8> {
    let instruction = step.instruction;
    let mut text = instruction.keyword.to_string().into_bytes();
    text.push(b' ');
    text.extend_from_slice(instruction.args_text());
    text
}

/// A step that moves over others.
pub(super) struct Mover<'a, 'f> {
    at: At<'a, 'f>,
    /// The COPYs in front of its new place.
    copied: Vec<At<'a, 'f>>,
    /// What it needs as a RUN that only installs; read once it matters.
    needs: OnceCell<Option<Needs>>,
}

impl<'a, 'f> Mover<'a, 'f> {
    /// `copied` are the COPYs in front of its new place, all or the last ones.
    pub(super) fn new(at: At<'a, 'f>, copied: Vec<At<'a, 'f>>) -> Self {
        Self {
            at,
            copied,
            needs: OnceCell::new(),
        }
    }

    /// Whether it does the same in front of `passed`, and `passed` the same behind it. Unknown is no.
    pub(super) fn may_pass(&self, passed: At<'_, '_>) -> bool {
        self.is_apart(self.at, passed) && self.is_apart(passed, self.at)
    }

    /// Half of the table: whether what `one` sets or writes leaves `other` alone.
    fn is_apart(&self, one: At<'_, '_>, other: At<'_, '_>) -> bool {
        use Keyword as K;
        let (ours, theirs) = (one.0.instruction, other.0.instruction);
        let b = theirs.keyword;
        match ours.keyword {
            _ if b == K::Onbuild => false,
            K::Env | K::Arg => match b {
                K::Run => !variables::may_read(other, ours),
                K::Env | K::Arg => {
                    variables::set_apart(ours, theirs) && !variables::may_expand(theirs, ours)
                }
                K::Cmd | K::Entrypoint | K::Healthcheck | K::Shell => true,
                _ => !variables::may_expand(theirs, ours),
            },
            K::Workdir => match b {
                K::Run => self.is_system() && is_aside(&directory(one)),
                K::Copy | K::Add => self.leaves_owner(one, other),
                _ => b != K::Workdir,
            },
            K::User => match b {
                K::Copy | K::Add => self.has_part_of(other),
                _ => !matches!(b, K::Run | K::Workdir | K::User),
            },
            K::Shell => !matches!(
                b,
                K::Run | K::Cmd | K::Entrypoint | K::Healthcheck | K::Shell
            ),
            K::Run => match b {
                K::Run if std::ptr::eq(one.0, self.at.0) => self.leaves_modes(other),
                K::Run => self.leaves_modes(one),
                K::Copy | K::Add => self.is_fed_without(other),
                K::Workdir => self.is_system(),
                _ => is_metadata(b) || matches!(b, K::Env | K::Arg),
            },
            K::Copy | K::Add => match b {
                K::Copy | K::Add => {
                    parts::are_disjoint(one, other)
                        || parts::is_part_of(one, other)
                        || parts::is_part_of(other, one)
                }
                K::Run | K::Env | K::Arg | K::Shell | K::User | K::Workdir => true,
                _ => is_metadata(b),
            },
            K::Volume => is_metadata(b),
            K::Entrypoint | K::Cmd => !matches!(b, K::Entrypoint | K::Cmd),
            K::Label if b == K::Label => variables::set_apart(ours, theirs),
            K::Expose if b == K::Expose => !has_variable(ours),
            K::Stopsignal | K::Maintainer | K::Healthcheck => b != ours.keyword,
            K::Label | K::Expose => true,
            _ => false,
        }
    }

    fn needs(&self) -> Option<&Needs> {
        self.needs.get_or_init(|| needs::of(self.at)).as_ref()
    }

    /// Whether it only installs packages of the distribution.
    fn is_system(&self) -> bool {
        self.needs().is_some_and(|needs| needs.is_system)
    }

    /// Whether it only installs, and finds all that it needs without `copy`, or in what was copied before.
    fn is_fed_without(&self, copy: At<'_, '_>) -> bool {
        let Some(needs) = self.needs() else {
            return false;
        };
        let Some((into, _)) = destination(copy) else {
            return false;
        };
        let keeps = |path: &String| !covers(&into, path) && !covers(path, &into);
        // What comes from elsewhere may be the very program that installs.
        let instruction = copy.0.instruction;
        let remote = |source: &&str| source.contains("://") || source.starts_with("git@");
        let of_context =
            instruction.flag("from").is_none() && !sources(instruction).iter().any(remote);
        (of_context || needs.is_system)
            && (is_out_of_the_way(&into) || is_project_at_root(copy, &into) && !needs.is_system)
            && needs.deleted.iter().all(keeps)
            && self.finds(needs, copy)
    }

    /// Whether of each need that `copy` may fill one file was copied before, by a part of `copy`.
    fn finds(&self, needs: &Needs, copy: At<'_, '_>) -> bool {
        let mut manifests = needs.manifests.iter();
        manifests.all(|need| {
            let is_there = |path: &String| {
                let mut parts = self.copied.iter();
                parts.any(|part| parts::may_bring(*part, path) && parts::is_part_of(*part, copy))
            };
            !need.iter().any(|path| parts::may_bring(copy, path)) || need.iter().any(is_there)
        })
    }

    /// Whether `other` only gives modes or owners to files by their names, of which none is one that it needs.
    fn leaves_modes(&self, (step, side): At<'_, '_>) -> bool {
        let (Some(needs), Some(shell)) = (self.needs(), Shell::of(side, step, step.instruction))
        else {
            return false;
        };
        let gives = |(directory, command): (Option<String>, &Command)| {
            let words = command.words.iter().map(|word| word.literal.as_deref());
            let Some(words) = words.collect::<Option<Vec<&str>>>() else {
                return false;
            };
            let ["chmod" | "chown", _, files @ ..] = words.as_slice() else {
                return false;
            };
            let is_apart = |file: &&str| {
                let path = directories::resolved(directory.as_deref(), file);
                path.is_some_and(|path| {
                    let is_needed = |need: &Need| need.iter().any(|need| covers(&path, need));
                    !file.starts_with('-')
                        && is_out_of_the_way(&path)
                        && !needs.manifests.iter().any(is_needed)
                })
            };
            let plain = command.redirects.is_empty() && command.assignments.is_empty();
            plain && !words[1].starts_with('-') && !files.is_empty() && files.iter().all(is_apart)
        };
        let workdir = step.before.workdir();
        let simple = shell
            .script
            .statements
            .iter()
            .all(|one| one.command().is_some());
        simple
            && directories::commands(&shell, workdir)
                .into_iter()
                .all(gives)
    }

    fn has_part_of(&self, copy: At<'_, '_>) -> bool {
        self.copied
            .iter()
            .any(|part| parts::is_part_of(*part, copy))
    }

    /// Whether the directory that a WORKDIR makes has the same owner as when `copy` made it.
    fn leaves_owner(&self, workdir: At<'_, '_>, copy: At<'_, '_>) -> bool {
        let (Some(directory), Some((into, _))) = (directory(workdir), destination(copy)) else {
            return false;
        };
        let makes = covers(&directory, &into);
        let plain = copy.0.instruction.flag("chown").is_none();
        let is_root = workdir.0.before.is_root() == Some(true);
        let chown = |copy: &Instruction| copy.flag("chown").map(|flag| flag.value.clone());
        let is_made = self.copied.iter().any(|other| {
            let into =
                |(path, to): (String, bool)| covers(&directory, &path) && (to || path != directory);
            destination(*other).is_some_and(into)
                && chown(other.0.instruction) == chown(copy.0.instruction)
        });
        !makes || plain && is_root || is_made
    }
}

/// The directory that a WORKDIR goes to.
fn directory((step, side): At<'_, '_>) -> Option<String> {
    let word = step.instruction.words().first()?;
    let path = step.before.expand(&word.text, side.escape).ok()?;
    step.before.absolute(&path)
}

fn is_aside(directory: &Option<String>) -> bool {
    directory.as_deref().is_some_and(is_out_of_the_way)
}

/// Instructions that change the configuration of the image and nothing of the build.
fn is_metadata(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(
        keyword,
        K::Cmd
            | K::Entrypoint
            | K::Expose
            | K::Healthcheck
            | K::Label
            | K::Maintainer
            | K::Stopsignal
    )
}

fn has_variable(instruction: &Instruction) -> bool {
    instruction.logical.text.contains(&b'$')
}

/// Whether the whole context is copied to a place that holds every project or everything: what it brings of the system
/// is looked at where the context is known; tools that install for a project look beside it.
fn is_project_at_root(copy: At<'_, '_>, into: &str) -> bool {
    let sources = sources(copy.0.instruction);
    let whole = matches!(sources.as_slice(), ["." | "./"]);
    whole && matches!(into, "/" | "/home" | "/root")
}

/// Whether a directory is none in which package managers read or write by themselves, and holds none.
fn is_out_of_the_way(path: &str) -> bool {
    const SYSTEM: [&str; 11] = [
        "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr",
    ];
    const WITHIN: [&str; 4] = ["/var/lib", "/var/cache", "/var/log", "/var/run"];
    // Where programs that are no part of the distribution are put.
    const FREE: [&str; 3] = ["/usr/src", "/usr/app", "/usr/local/app"];
    const ROOTS: [&str; 3] = ["/var", "/root", "/home"];
    let is_in = |directory: &&str| covers(directory, path);
    let is_free = FREE.iter().any(is_in);
    let in_home = path.split('/').skip(2).any(|part| {
        part.starts_with('.') && (path.starts_with("/root/") || path.starts_with("/home/"))
    });
    let is_system = SYSTEM.iter().chain(&WITHIN).any(is_in) && !is_free;
    path != "/" && !is_system && !ROOTS.contains(&path) && !in_home
}
