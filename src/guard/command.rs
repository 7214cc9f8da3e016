//! Whether two statements run the same, up to the flags and packages that the declared effects add.

use std::cell::{OnceCell, RefCell};

use super::mounts::{covers, owner};
use super::script::{Shell, lists};
use super::{Allowed, Fault, Verdict, builds, caches, packages};
use crate::model::Step;
use crate::model::managers::{Flag, Invocation, Kind, Manager, Role, invocation};
use crate::rule::Effect;
use crate::syntax::shell::{Command, Node, Statement, Word};
use crate::text::Span;

/// A change that is only right if the rest of the file plays along; looked at once the whole step is compared.
#[derive(Debug, Clone)]
pub(super) enum Note {
    /// A command that empties these directories of the manager was added.
    Cleaned {
        manager: &'static Manager,
        index: bool,
        at: Span,
    },
    /// A command of the manager that fetches or deletes its index went.
    Dropped { manager: &'static Manager },
    /// A flag that switches the cache off went.
    Cached { manager: &'static Manager },
    /// These files, which the step downloaded, are deleted.
    Deleted { files: Vec<String>, at: Span },
    /// An install of the manager leaves out what it did not leave out before.
    Lean {
        manager: &'static Manager,
        packages: Vec<String>,
        at: Span,
    },
}

/// The script of a step after the patch, and what may differ in it.
pub(super) struct Comparison<'a> {
    pub(super) allowed: Allowed<'a>,
    pub(super) after: &'a Shell<'a>,
    /// The step that it is of.
    pub(super) step: &'a Step<'a>,
    /// The home of the step's user.
    pub(super) home: Option<&'a str>,
    /// The targets of the cache mounts that the step has after the patch.
    pub(super) mounts: &'a [String],
    /// The targets of those that it got to keep a build directory.
    pub(super) builds: &'a [String],
    /// Whether a failure ends the script at once.
    pub(super) errexit: bool,
    pub(super) notes: RefCell<Vec<Note>>,
    /// The package managers that the script calls to do more than clean, each with its first call; read once it matters.
    pub(super) fillers: OnceCell<Vec<(&'static Manager, Span)>>,
}

impl Comparison<'_> {
    /// Compares two statements, the operators behind them aside.
    pub(super) fn statement(&self, before: &Shell, old: &Statement, new: &Statement) -> Verdict {
        if old.negated == new.negated && before.slice(old.span) == self.after.slice(new.span) {
            return Ok(());
        }
        let changed = || self.changed(before, old.span, new.span);
        if old.negated != new.negated {
            return Err(changed());
        }
        match (&old.node, &new.node) {
            (Node::Command(old), Node::Command(new)) => self.command(before, old, new),
            (Node::Pipeline(ours), Node::Pipeline(theirs)) if ours.len() == theirs.len() => {
                self.same_skeleton(before, old, new)?;
                let mut members = ours.iter().zip(theirs);
                members.try_for_each(|(old, new)| self.statement(before, old, new))
            }
            (Node::Compound(ours), Node::Compound(theirs)) if ours.kind == theirs.kind => {
                self.same_skeleton(before, old, new)?;
                let mut lists = ours.lists.iter().zip(&theirs.lists);
                lists.try_for_each(|(old, new)| self.nested(before, (old, new), ours.kind))
            }
            _ => Err(changed()),
        }
    }

    fn same_skeleton(&self, before: &Shell, old: &Statement, new: &Statement) -> Verdict {
        let (ours, theirs) = (lists(old), lists(new));
        let holes = |lists: &[&[Statement]]| -> Vec<Span> {
            let extents = lists.iter().filter_map(|list| {
                let (first, last) = (list.first()?, list.last()?);
                Some(first.span.cover(last.span))
            });
            extents.collect()
        };
        let same = ours.len() == theirs.len()
            && before.skeleton(old.span, &holes(&ours))
                == self.after.skeleton(new.span, &holes(&theirs));
        match same {
            true => Ok(()),
            false => Err(self.changed(before, old.span, new.span)),
        }
    }

    fn changed(&self, before: &Shell, old: Span, new: Span) -> Fault {
        let (was, is) = (before.quote(old), self.after.quote(new));
        Fault::new(format!("`{was}` becomes `{is}`"), new)
    }

    fn command(&self, before: &Shell, old: &Command, new: &Command) -> Verdict {
        if let Some(plain) = builds::without_directory(self, old, new) {
            return self.command(before, old, &plain);
        }
        let changed = || self.changed(before, old.span, new.span);
        let same_parts = old.assignments.len() == new.assignments.len()
            && old.redirects.len() == new.redirects.len();
        if !same_parts {
            return Err(changed());
        }
        for (old, new) in old.assignments.iter().zip(&new.assignments) {
            self.word(before, old, new)?;
        }
        for (old, new) in old.redirects.iter().zip(&new.redirects) {
            // Quotes around the name of a here-document decide whether its body is expanded.
            let is_heredoc = old.operator.contains("<<");
            if old.operator != new.operator || is_heredoc && old.target.text != new.target.text {
                return Err(changed());
            }
            self.word(before, &old.target, &new.target)?;
        }
        if old.words.len() == new.words.len() {
            let mut pairs = old.words.iter().zip(&new.words);
            let same = pairs.try_for_each(|(old, new)| self.word(before, old, new));
            if same.is_ok() {
                return Ok(());
            }
        }
        self.words(before, old, new)
    }

    fn word(&self, before: &Shell, old: &Word, new: &Word) -> Verdict {
        let same_value = old.literal.is_some() && old.literal == new.literal;
        if same_value || old.text == new.text {
            return Ok(());
        }
        let (ours, theirs) = (&old.substitutions, &new.substitutions);
        let spans = |all: &[Statement]| -> Vec<Span> { all.iter().map(|one| one.span).collect() };
        let holes = (spans(ours), spans(theirs));
        let comparable = !ours.is_empty()
            && ours.len() == theirs.len()
            && !holes.0.contains(&old.span)
            && before.skeleton(old.span, &holes.0) == self.after.skeleton(new.span, &holes.1);
        if !comparable {
            return Err(self.changed(before, old.span, new.span));
        }
        let mut pairs = ours.iter().zip(theirs);
        pairs.try_for_each(|(old, new)| self.statement(before, old, new))
    }

    /// Words that differ: what is added or dropped must be covered by an effect.
    fn words(&self, before: &Shell, old: &Command, new: &Command) -> Verdict {
        let changed = || self.changed(before, old.span, new.span);
        let (Some(ours), Some(theirs)) = (invocation(&old.words), invocation(&new.words)) else {
            return match self.answers_yes(before, old, new) || self.leaves_mounted(before, old, new)
            {
                true => Ok(()),
                false => Err(changed()),
            };
        };
        let same_role = ours.manager.name == theirs.manager.name && ours.role == theirs.role;
        if !same_role {
            return Err(changed());
        }
        let difference = Difference::of(&old.words, &new.words, |index, word, other| {
            self.word(before, word, other).is_ok()
                || self.is_renamed((&ours, &theirs), index, word, other)
        });
        if let Some(gone) = difference
            .gone
            .iter()
            .find(|index| !self.may_go(&ours, &theirs, **index))
        {
            let word = old.words.get(*gone).map_or("", |word| word.text.as_str());
            return Err(Fault::new(format!("the word `{word}` is gone"), new.span));
        }
        if let Some(added) = difference
            .added
            .iter()
            .find(|index| !self.may_come(&theirs, **index))
        {
            let (text, at) = match new.words.get(*added) {
                Some(word) => (word.text.as_str(), word.span),
                None => ("", new.span),
            };
            return Err(Fault::new(format!("the word `{text}` is added"), at));
        }
        self.note(&ours, &theirs, new);
        Ok(())
    }

    /// Whether a tool that is in no table is only told yes by a flag that says so.
    fn answers_yes(&self, before: &Shell, old: &Command, new: &Command) -> bool {
        const YES: [&str; 4] = ["--yes", "--assume-yes", "--assumeyes", "--non-interactive"];
        let difference = Difference::of(&old.words, &new.words, |_, word, other| {
            self.word(before, word, other).is_ok()
        });
        let word = |index: &usize| new.words.get(*index).map(|word| word.text.as_str());
        self.allowed.has(&Effect::AssumeYes)
            && old.name().is_some()
            && difference.gone.is_empty()
            && difference.added.iter().all(|index| *index > 0)
            && difference
                .added
                .iter()
                .filter_map(word)
                .all(|word| YES.contains(&word))
    }

    /// Whether an `rm` deletes less by what mounts cover.
    fn leaves_mounted(&self, before: &Shell, old: &Command, new: &Command) -> bool {
        let is_rm = |command: &Command| {
            let first = command.words.iter().take(2);
            first.into_iter().any(|word| word.text == "rm")
        };
        let deletes = |word: &&Word| !word.text.starts_with('-');
        let mut left = new.words.iter().peekable();
        let is_kept = |word: &Word| {
            let same = left.next_if(|other| self.word(before, word, other).is_ok());
            same.is_some() || caches::is_covered(self, word)
        };
        self.allowed.has(&Effect::Caches)
            && is_rm(old)
            && is_rm(new)
            && new.words.iter().filter(deletes).count() > 1
            && old.words.iter().all(is_kept)
            && left.peek().is_none()
    }

    /// Whether a word of an install may go: the flag that switches off a cache that is a mount now, or the one that
    /// fetches an index for which there is no cache any more.
    fn may_go(&self, ours: &Invocation, theirs: &Invocation, word: usize) -> bool {
        if self.allowed.has(&Effect::Registries) && is_registry(ours, word) {
            return true;
        }
        if self.allowed.has(&Effect::Packages) && packages::is_respelled(ours, theirs, word) {
            return true;
        }
        if !self.allowed.has(&Effect::Caches) {
            return false;
        }
        let manager = ours.manager;
        let is_mounted = self.has_mount_of(manager);
        let updates = manager.name == "apk" && is_flag(ours, word, &UPDATING.map(str::to_owned));
        is_mounted && self.drops_no_cache(ours, theirs) && is_flag(ours, word, &manager.no_cache)
            || updates && theirs.keeps_no_cache()
    }

    fn drops_no_cache(&self, ours: &Invocation, theirs: &Invocation) -> bool {
        ours.keeps_no_cache() && !theirs.keeps_no_cache()
    }

    /// Whether one of the step's cache mounts lies over `path`, where `~` is the home.
    pub(super) fn is_mounted(&self, path: &str) -> bool {
        let home = self.home.map(|home| home.trim_end_matches('/'));
        let path = match (path.strip_prefix('~'), home) {
            (None, _) => path.to_owned(),
            (Some(below), Some(home)) => format!("{home}{below}"),
            (Some(_), None) => return false,
        };
        self.mounts.iter().any(|target| covers(target, &path))
    }

    /// Whether one of the step's cache mounts is the manager's.
    pub(super) fn has_mount_of(&self, manager: &Manager) -> bool {
        let mut owners = self
            .mounts
            .iter()
            .filter_map(|target| owner(target, self.step));
        owners.any(|owner| owner.name == manager.name)
            || manager.cache_paths.iter().any(|path| self.is_mounted(path))
    }

    /// Whether a word may be added to an invocation of a package manager.
    fn may_come(&self, theirs: &Invocation, word: usize) -> bool {
        let manager = theirs.manager;
        let installs = matches!(theirs.role, Role::Install | Role::Upgrade);
        let has = |effect| self.allowed.has(&effect);
        let changes = installs || matches!(theirs.role, Role::Remove);
        let is = |list: &[String]| is_flag(theirs, word, list);
        let fills_cache = installs || theirs.role == Role::Build;
        (has(Effect::Caches)
            && fills_cache
            && is(&manager.no_cache)
            && !says(theirs, &["--offline"]))
            || (has(Effect::Caches) && manager.name == "apk" && is(&UPDATING.map(str::to_owned)))
            || (has(Effect::AssumeYes) && changes && is_harmless_yes(theirs, word))
            || (has(Effect::Packages)
                && installs
                && is(&manager.lean)
                && !says(theirs, &["--document", "--ri", "--rdoc"]))
            || (has(Effect::Registries) && installs && is_registry(theirs, word))
            || (has(Effect::Packages)
                && theirs.role == Role::Install
                && manager.kind == Kind::System
                && theirs.is_lean()
                && theirs.packages.contains(&word))
    }

    /// `apt-get` for `apt` where both take the same sub-command; `npm ci` for an `npm install` of the project.
    fn is_renamed(
        &self,
        (ours, theirs): (&Invocation, &Invocation),
        index: usize,
        old: &Word,
        new: &Word,
    ) -> bool {
        const SCRIPTED: [&str; 11] = [
            "install",
            "update",
            "remove",
            "purge",
            "clean",
            "autoremove",
            "autoclean",
            "build-dep",
            "dist-upgrade",
            "download",
            "source",
        ];
        let (old, new) = (old.literal.as_deref(), new.literal.as_deref());
        let same = ours.subcommand_name == theirs.subcommand_name;
        let is_apt = index == ours.command
            && same
            && is_apt_get(old.unwrap_or_default(), new.unwrap_or_default())
            && SCRIPTED.contains(&theirs.subcommand_name.as_str());
        let is_npm = ours.manager.name == "npm"
            && self.allowed.has(&Effect::Packages)
            && ours.subcommand.contains(&index)
            && matches!(old, Some("install" | "i"))
            && new == Some("ci")
            && !ours.names_packages();
        is_apt || is_npm
    }

    fn note(&self, ours: &Invocation, theirs: &Invocation, new: &Command) {
        let manager = theirs.manager;
        let mut notes = self.notes.borrow_mut();
        if self.drops_no_cache(ours, theirs) {
            notes.push(Note::Cached { manager });
        }
        if theirs.is_lean() && !ours.is_lean() {
            let packages = theirs.packages.iter();
            let packages = packages.filter_map(|index| new.words.get(*index)?.literal.clone());
            notes.push(Note::Lean {
                manager,
                packages: packages.collect(),
                at: new.span,
            });
        }
    }
}

/// Whether `old` is `apt`, perhaps with its directory, and `new` the `apt-get` beside it.
fn is_apt_get(old: &str, new: &str) -> bool {
    let name = old.rsplit('/').next();
    name == Some("apt") && new.strip_suffix("-get") == Some(old)
}

/// apk's flags for an index that is fetched before the install; `--update` is the old name.
const UPDATING: [&str; 3] = ["-U", "--update-cache", "--update"];

/// Whether a word only answers yes: where the manager reads it as that, and no other flag answers no. `--force-yes` also
/// takes packages that nobody signed.
fn is_harmless_yes(invocation: &Invocation, word: usize) -> bool {
    let manager = invocation.manager;
    let flags = manager.yes.iter().filter(|flag| *flag != "--force-yes");
    // Behind the sub-command zypper's `-n` is `--name`, and before it there is no `-y`.
    let is_global = |flag: &&String| flag.starts_with("--non") || *flag == "-n";
    let listed: Vec<String> = match manager.yes_first {
        true => flags.filter(is_global).cloned().collect(),
        false => flags.cloned().collect(),
    };
    let in_place =
        !manager.yes_first || invocation.subcommand.first().is_none_or(|sub| word < *sub);
    in_place
        && is_flag(invocation, word, &listed)
        && !says(invocation, &["--assume-no", "--assumeno"])
}

/// Whether one of these flags is given.
fn says(invocation: &Invocation, flags: &[&str]) -> bool {
    let mut given = invocation.flags.iter();
    given.any(|flag| flags.contains(&flag.name.as_str()))
}

/// Whether a word is a flag of `list`, all of a cluster, or the value of one.
pub(super) fn is_flag(invocation: &Invocation, word: usize, list: &[String]) -> bool {
    let is_listed = |flag: &Flag| {
        list.iter().any(|one| match one.split_once('=') {
            None => flag.name == *one && flag.value.is_none(),
            Some((name, value)) => flag.name == name && flag.text() == Some(value),
        })
    };
    let stands_in = |flag: &&Flag| {
        flag.word == word || flag.value.as_ref().is_some_and(|value| value.word == word)
    };
    let mut flags = invocation.flags.iter().filter(stands_in).peekable();
    flags.peek().is_some() && flags.all(is_listed)
}

/// Whether a word is a flag that says from where packages come, or the value of one.
fn is_registry(invocation: &Invocation, word: usize) -> bool {
    let stands_in = |flag: &&Flag| {
        flag.word == word || flag.value.as_ref().is_some_and(|value| value.word == word)
    };
    let mut flags = invocation.flags.iter().filter(stands_in).peekable();
    let registries = &invocation.manager.registries;
    flags.peek().is_some() && flags.all(|flag| registries.contains(&flag.name))
}

/// Words that come and go at one place; two lists that differ by more are not aligned behind it.
const MOST_APART: usize = 4;

/// The indexes of the words that two lists do not share.
#[derive(Debug, Default)]
struct Difference {
    gone: Vec<usize>,
    added: Vec<usize>,
}

impl Difference {
    /// Word by word; behind a difference at the nearest place where the lists meet again.
    fn of(old: &[Word], new: &[Word], is_same: impl Fn(usize, &Word, &Word) -> bool) -> Self {
        let mut difference = Self::default();
        let (mut at, mut to) = (0, 0);
        while let (Some(ours), Some(theirs)) = (old.get(at), new.get(to)) {
            if is_same(at, ours, theirs) {
                (at, to) = (at + 1, to + 1);
                continue;
            }
            let meets = |gone: usize, added: usize| {
                let pair = old.get(at + gone).zip(new.get(to + added));
                pair.is_some_and(|(old, new)| is_same(at + gone, old, new))
            };
            let ways =
                (1..=MOST_APART).flat_map(|all| (0..=all).map(move |gone| (gone, all - gone)));
            let nearest = ways.into_iter().find(|(gone, added)| meets(*gone, *added));
            let (gone, added) = nearest.unwrap_or((0, 1));
            difference.gone.extend(at..at + gone);
            difference.added.extend(to..to + added);
            (at, to) = (at + gone, to + added);
        }
        difference.gone.extend(at..old.len());
        difference.added.extend(to..new.len());
        difference
    }
}
