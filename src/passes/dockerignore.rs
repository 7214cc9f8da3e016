//! The ignore file of a build context is made, or completed, from what the context holds: what a COPY of a directory
//! brings and no build needs. Never keeps out what a Dockerfile of the context names or what a build may read, as far as
//! Dockerfiles, scripts and manifests tell; never changes a line that is there.

mod history;
mod lines;
mod tracked;
mod view;
mod walk;

use std::path::PathBuf;

use serde::Deserialize;

use crate::context::ignore::Ignore;
use crate::context::site::{IgnoreFile, Site};
use crate::context::{BuildContext, Kind as EntryKind, glob, path};
use crate::model::{Model, ModelInput};
use crate::pass::project_place::first_words;
use crate::pass::runs::{self, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::report::{Fix, Sent};
use crate::syntax::Dockerfile;
use crate::text::{Patch, Span};

use history::{Readers, Scripts};
use view::{Makers, View};
use walk::{Contents, Found};

/// As many other Dockerfiles of a context are read: each of them reads all the others.
const MAX_DOCKERFILES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dockerignore {
    /// What may be left out, in the order in which it is written.
    kinds: Vec<Kind>,
    /// What reads `.git`.
    git: Readers,
    /// Endings of files in which a program may name others.
    sources: Vec<String>,
}

/// Something that may be left out of a build.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[derive(Default)]
struct Kind {
    /// Patterns of names.
    names: Vec<String>,
    /// Patterns of names that are not meant.
    except: Vec<String>,
    /// It is a directory, or else a file; `None`: either.
    directory: Option<bool>,
    /// The directory holds one of these.
    inside: Vec<String>,
    /// It stands beside one of these.
    beside: Vec<String>,
    /// Its text holds this.
    holds: Option<String>,
    /// Git does not track it.
    untracked: bool,
    /// The stages that bring it run one of these in the same place.
    made_by: Vec<Vec<String>>,
    /// The stages that bring it install the dependencies of a Node project in the same place.
    node_install: bool,
    /// Nobody may read it out of an image.
    secret: bool,
    /// No script and no source names it.
    unnamed: bool,
    /// Texts in manifests that mean that a build reads it, and that a running program does.
    build_readers: Vec<String>,
    readers: Vec<String>,
    /// It is worth no ignore file of its own, and is meant only at the root of the context.
    minor: bool,
    /// It is what holds the history of the project.
    history: bool,
}

impl Kind {
    /// Whether it is left out because the build makes it anew.
    fn is_made(&self) -> bool {
        self.node_install || !self.made_by.is_empty()
    }
}

/// Something that is there, is brought, and may be left out.
struct Candidate<'a> {
    path: &'a str,
    is_directory: bool,
    kind: &'a Kind,
}

/// Everything that the decisions are made with.
struct Question<'a> {
    rule: &'a Dockerignore,
    context: &'a dyn BuildContext,
    ignore: &'a Ignore,
    contents: &'a Contents,
    /// The Dockerfiles of the context, the one that the pass is about first.
    views: &'a [View<'a>],
    /// Those below, of which it is not known whether they are built with this context.
    nested: &'a [View<'a>],
    scripts: Scripts,
    sources: Scripts,
    /// Why a build reads `.git`: it stays, and with it all that git tracks.
    history: Option<String>,
}

impl Pass for Dockerignore {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let all = Ignore::default();
        let lone = View::new(cx, None, &all);
        let Some(span) = lone.whole() else {
            return;
        };
        match self.decline(cx, &lone) {
            Ok(file) => self.complete(cx, &file, span, out),
            Err(reason) => out.decline(span, reason),
        }
    }
}

impl Dockerignore {
    /// The ignore file that can be written; else why it cannot.
    fn decline(&self, cx: &PassContext<'_>, lone: &View<'_>) -> Result<IgnoreFile, String> {
        if !cx.context.is_known() {
            return Err("the build context is not known".to_owned());
        }
        if let Some(take) = lone.unknown() {
            let shown = first_words(&cx.shown(shown_span(take.instruction)));
            return Err(format!("what `{shown}` takes is not known"));
        }
        if let Some(reason) = &cx.site.more {
            return Err(reason.clone());
        }
        let file = cx
            .site
            .ignore(cx.context)
            .map_err(|error| error.to_string())?;
        let Some(path) = &file.path else {
            return Err("its ignore file stands outside of the build context".to_owned());
        };
        match cx.context.resolve(path) {
            Some(real) if real != *path => Err(format!("`{path}` is a symlink")),
            _ => Ok(file),
        }
    }

    fn complete(&self, cx: &PassContext<'_>, file: &IgnoreFile, span: Span, out: &mut Findings) {
        let is_closed = |path: &str| self.kind_of(cx.context, path, true).is_some();
        let contents = Contents::of(cx.context, &file.ignore, &is_closed);
        if contents.truncated {
            out.decline(
                span,
                "the build context holds too much to be looked through",
            );
            return;
        }
        let Some(texts) = dockerfiles(cx, file, &contents) else {
            out.decline(
                span,
                format!(
                    "more than {MAX_DOCKERFILES} other Dockerfiles may share the build context"
                ),
            );
            return;
        };
        let trees: Vec<Dockerfile> = texts
            .iter()
            .map(|one| Dockerfile::parse(&one.text))
            .collect();
        let input = ModelInput::default();
        let models: Vec<Model<'_>> = texts
            .iter()
            .zip(&trees)
            .map(|(one, tree)| Model::of(tree, &one.text, &input))
            .collect();
        let stages: Vec<_> = models.iter().map(runs::stages).collect();
        let contexts: Vec<PassContext<'_>> = (0..texts.len())
            .map(|at| PassContext {
                rule: cx.rule,
                text: &texts[at].text,
                file: &trees[at],
                model: &models[at],
                stages: &stages[at],
                context: cx.context,
                site: cx.site,
            })
            .collect();
        let view = |at: usize| View::new(&contexts[at], Some(&texts[at].shown), &file.ignore);
        let (same, nested): (Vec<usize>, Vec<usize>) =
            (0..texts.len()).partition(|at| texts[*at].is_same);
        let mut views = vec![View::new(cx, None, &file.ignore)];
        views.extend(same.into_iter().map(view));
        let nested: Vec<View<'_>> = nested.into_iter().map(view).collect();
        let unknown = views.iter().find(|view| view.unknown().is_some());
        if let Some(shown) = unknown.and_then(|view| view.shown) {
            out.decline(
                span,
                format!("what `{shown}` takes of the context is not known"),
            );
            return;
        }
        Question::new(self, cx.context, &file.ignore, &contents, &views, &nested)
            .answer(cx, file, out);
    }

    /// What the thing at `path` is, as far as it can be told without the Dockerfiles.
    fn kind_of(&self, context: &dyn BuildContext, path: &str, is_directory: bool) -> Option<&Kind> {
        let name = path::file_name(path);
        let named = |patterns: &[String]| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| glob::matches(pattern, name) == Ok(true))
        };
        let stands_in = |directory: &str, names: &[String]| {
            let there = context.list(directory);
            let is_there = |name: &String| {
                let mut there = there.iter();
                there.any(|one| glob::matches(name, one) == Ok(true))
            };
            names.iter().any(is_there)
        };
        self.kinds.iter().find(|kind| {
            named(&kind.names)
                && !named(&kind.except)
                && (!kind.minor || !path.contains('/'))
                && kind
                    .directory
                    .is_none_or(|directory| directory == is_directory)
                && (kind.inside.is_empty() || stands_in(path, &kind.inside))
                && (kind.beside.is_empty() || stands_in(path::parent(path), &kind.beside))
                && kind.holds.as_ref().is_none_or(|text| {
                    let bytes = context.read(path, 1 << 14).unwrap_or_default();
                    String::from_utf8_lossy(&bytes).contains(text.as_str())
                })
        })
    }
}

/// Another Dockerfile of the context.
struct Text {
    shown: String,
    text: Vec<u8>,
    /// Whether it is built with the same context and ignore file, as far as is known.
    is_same: bool,
}

/// The other Dockerfiles for which the ignore file holds, or may; `None` where they are too many to be read for each.
fn dockerfiles(cx: &PassContext<'_>, file: &IgnoreFile, contents: &Contents) -> Option<Vec<Text>> {
    let is_common = file.path.as_deref() == Some(crate::context::ignore::FILE_NAME);
    if !is_common {
        return Some(Vec::new());
    }
    let declared = cx.site.others.iter().map(|other| Text {
        shown: other.shown.clone(),
        text: other.text.clone(),
        is_same: true,
    });
    let is_listed = |path: &str| {
        let mut others = cx.site.others.iter();
        cx.site.dockerfile.as_deref() == Some(path)
            || others.any(|other| other.path.as_deref() == Some(path))
    };
    let lower = |found: &Found| path::file_name(&found.path).to_ascii_lowercase();
    let is_dockerfile = |found: &&Found| {
        let name = lower(found);
        let named = name.contains("dockerfile") || name.contains("containerfile");
        found.kind == EntryKind::File && named && !name.ends_with(".dockerignore")
    };
    let found = contents.entries.iter().filter(is_dockerfile);
    let has_own = |path: &str| contents.has_own(path) && Site::has_own(cx.context, path);
    let found = found.filter(|one| !is_listed(&one.path) && !has_own(&one.path));
    let found: Vec<&Found> = found.take(MAX_DOCKERFILES + 1).collect();
    if found.len() + cx.site.others.len() > MAX_DOCKERFILES {
        return None;
    }
    let found = found.into_iter().filter_map(|one| {
        Some(Text {
            shown: one.path.clone(),
            text: cx.context.read(&one.path, 4 << 20).ok()?,
            is_same: !one.path.contains('/'),
        })
    });
    Some(declared.chain(found).collect())
}

impl<'a> Question<'a> {
    fn new(
        rule: &'a Dockerignore,
        context: &'a dyn BuildContext,
        ignore: &'a Ignore,
        contents: &'a Contents,
        views: &'a [View<'a>],
        nested: &'a [View<'a>],
    ) -> Self {
        let sent = || {
            let sent = contents.entries.iter().filter(|found| !found.ignored);
            sent.map(|found| (found.path.as_str(), found.kind))
        };
        let scripts = Scripts::of(context, sent(), rule.git.scripts());
        let secrets = sent().any(|(path, _)| {
            let kind = rule.kind_of(context, path, false);
            kind.is_some_and(|kind| kind.unnamed)
        });
        let sources = if secrets {
            rule.sources.as_slice()
        } else {
            &[]
        };
        let mut question = Self {
            rule,
            context,
            ignore,
            contents,
            views,
            nested,
            scripts,
            sources: Scripts::of(context, sent(), sources),
            history: None,
        };
        question.history = question.history();
        question
    }

    /// Why a build that takes `.git` reads it.
    fn history(&self) -> Option<String> {
        let found = self
            .contents
            .entries
            .iter()
            .find(|found| path::file_name(&found.path) == ".git" && !found.ignored)?;
        let is_taken = self.views.iter().any(|view| view.takes(&found.path));
        if !is_taken {
            return None;
        }
        self.rule.git.reason(self.views, &self.scripts, &found.path)
    }

    fn answer(&self, cx: &PassContext<'_>, file: &IgnoreFile, out: &mut Findings) {
        let [own, ..] = self.views else { return };
        let directories = own.directories();
        let Some((_, take)) = directories.first() else {
            return;
        };
        let span = shown_span(take.instruction);
        let mut taken: Vec<Candidate<'_>> = Vec::new();
        let mut kept: Vec<&str> = Vec::new();
        let mut declined: Vec<(&str, String)> = Vec::new();
        let is_taken = |path: &str| {
            let mut directories = directories.iter();
            directories
                .any(|(outer, _)| path::below(path, outer).is_some_and(|rest| !rest.is_empty()))
        };
        let sent = self.contents.entries.iter().filter(|found| !found.ignored);
        for found in sent.filter(|found| is_taken(&found.path)) {
            let is_directory = found.kind == EntryKind::Directory;
            let kind = self.rule.kind_of(self.context, &found.path, is_directory);
            let Some(kind) = kind.filter(|_| found.kind != EntryKind::Other) else {
                continue;
            };
            let candidate = Candidate {
                path: &found.path,
                is_directory,
                kind,
            };
            match self.keep(&candidate) {
                None => taken.push(candidate),
                Some(reason) => {
                    kept.push(&found.path);
                    declined.push((&found.path, reason));
                }
            }
        }
        for (paths, reason) in summed_up(declined) {
            let stay = if paths.len() == 1 { "stays" } else { "stay" };
            let paths = listed(&paths);
            out.decline(
                span,
                format!("{paths} {stay} in the build context: {reason}"),
            );
        }
        if taken.iter().all(|one| one.kind.minor) {
            return;
        }
        let lines = self.patterns(&taken, &kept);
        let Some(path) = file.path.as_deref() else {
            return;
        };
        let is_there = self.context.entry(path).is_some();
        let before = self.context.read(path, 4 << 20).unwrap_or_default();
        let after = lines::completed(&before, &lines);
        let Ok(ignore) = Ignore::parse(&after) else {
            return;
        };
        let roots: Vec<String> = directories.iter().map(|(root, _)| root.clone()).collect();
        let sizes = walk::sizes(self.context, [self.ignore, &ignore], &roots);
        let brings = first_words(&cx.shown(span));
        let title = if is_there { "complete" } else { "create" };
        let fix = Fix {
            title: format!("{title} `{path}`"),
            applicability: cx.rule.applicability,
            patch: Patch::default(),
            files: vec![(PathBuf::from(path), after)],
            sent: Some(sizes),
            saving: None,
            reasons: Vec::new(),
        };
        out.report(span, message(&brings, &taken, sizes), Some(fix));
    }

    /// Why a candidate has to stay.
    fn keep(&self, one: &Candidate<'_>) -> Option<String> {
        let Candidate { path, kind, .. } = one;
        if !lines::is_plain(path) {
            return Some("its name cannot be written as it is".to_owned());
        }
        let back = format!("!{path}");
        if self.ignore.patterns().any(|pattern| pattern == back) {
            return Some("the ignore file lets it in".to_owned());
        }
        if let Some(reason) = self.named(path, kind) {
            return Some(reason);
        }
        if kind.history {
            return self.history.clone();
        }
        let is_untracked = || tracked::is_untracked(self.context, path);
        if self.history.is_some() && !is_untracked() {
            return Some("`.git` stays, and git would find it deleted".to_owned());
        }
        if kind.untracked && !is_untracked() {
            let reason = match kind.secret {
                true => "no `.gitignore` keeps it out of git, so it ends up in the image",
                false => "no `.gitignore` says that it is made and not written",
            };
            return Some(reason.to_owned());
        }
        let makers = Makers {
            commands: &kind.made_by,
            node_install: kind.node_install,
        };
        let misses = |view: &&View<'_>| !view.makes(path, &makers);
        if let Some(view) = self.views.iter().find(misses).filter(|_| kind.is_made()) {
            let who = view
                .shown
                .map_or_else(|| "the build".to_owned(), |shown| format!("`{shown}`"));
            return Some(format!("{who} does not make it anew in its place"));
        }
        self.read(one)
    }

    /// Who names the path in a Dockerfile.
    fn named(&self, path: &str, kind: &Kind) -> Option<String> {
        let all = self.views.iter().chain(self.nested);
        let mut copying = all.filter(|view| view.names_source(path));
        if let Some(view) = copying.next() {
            let who = view.shown.map(|shown| format!(" in `{shown}`"));
            return Some(format!("copied by name{}", who.unwrap_or_default()));
        }
        // What is made anew is there when it is named.
        let minds = !kind.is_made() && !kind.minor;
        let mut views = self.views.iter().filter(|_| minds);
        let view = views.find(|view| view.mentions(path))?;
        let who = view.shown.map(|shown| format!(" of `{shown}`"));
        Some(format!("a step{} names it", who.unwrap_or_default()))
    }

    /// Who reads the candidate, by a script, a source or a library.
    fn read(&self, one: &Candidate<'_>) -> Option<String> {
        let Candidate { path, kind, .. } = one;
        let loud = match kind.secret {
            true => ", so it ends up in the image",
            false => "",
        };
        if let Some((file, text)) = self.scripts.holding(&kind.build_readers) {
            return Some(format!(
                "a build with `{text}` (`{file}`) may read it{loud}"
            ));
        }
        let compose = ["env_file".to_owned()];
        let is_given = self.scripts.holding(&compose).is_some();
        let reader = self.scripts.holding(&kind.readers);
        if let Some((file, text)) = reader.filter(|_| !is_given) {
            let text = text.trim_matches('"');
            return Some(format!(
                "`{text}` (`{file}`) may read it when the program runs{loud}"
            ));
        }
        if !kind.unnamed {
            return None;
        }
        let found = self
            .scripts
            .naming(path)
            .or_else(|| self.sources.naming(path))?;
        Some(match found {
            "" => format!("there are too many files to see whether one names it{loud}"),
            _ => format!("`{found}` names it{loud}"),
        })
    }

    /// The lines that leave out what is taken, and none of what is kept.
    fn patterns(&self, taken: &[Candidate<'_>], kept: &[&str]) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for kind in &self.rule.kinds {
            let of_kind = taken.iter().filter(|one| std::ptr::eq(one.kind, kind));
            for one in of_kind {
                let name = path::file_name(one.path);
                let listed = kind.names.iter();
                let mut wild = listed.filter(|pattern| glob::matches(pattern, name) == Ok(true));
                let wild = wild.next().filter(|pattern| pattern.starts_with("*."));
                let wild = wild.filter(|_| kind.except.is_empty() && kind.holds.is_none());
                let line = match (wild, one.path.contains('/')) {
                    (Some(pattern), _) => format!("**/{pattern}"),
                    (None, true) => format!("**/{name}"),
                    (None, false) => name.to_owned(),
                };
                let line = match self.is_safe(&line, kept, taken) {
                    true => line,
                    false => one.path.to_owned(),
                };
                let wide = format!("**/{name}");
                if !lines.contains(&line) && !lines.contains(&wide) {
                    lines.retain(|old| line != format!("**/{old}"));
                    lines.push(line);
                }
            }
        }
        lines
    }

    /// Whether a line keeps out nothing but what is taken, and nothing that a Dockerfile names.
    fn is_safe(&self, line: &str, kept: &[&str], taken: &[Candidate<'_>]) -> bool {
        let Some(name) = line.strip_prefix("**/") else {
            return true;
        };
        let Ok(ignore) = Ignore::parse(line.as_bytes()) else {
            return false;
        };
        let all = self.views.iter().chain(self.nested);
        let names = all.filter(|view| view.has_component(name)).count() > 0;
        let is_other = |found: &&Found| {
            let is_taken = taken
                .iter()
                .any(|one| path::below(&found.path, one.path).is_some());
            !found.ignored && !is_taken && ignore.ignores(&found.path)
        };
        !names
            && !kept.iter().any(|path| ignore.ignores(path))
            && !self.contents.entries.iter().any(|found| is_other(&found))
    }
}

/// Declines that have a reason in common, as one.
fn summed_up(declined: Vec<(&str, String)>) -> Vec<(Vec<String>, String)> {
    let mut summed: Vec<(Vec<String>, String)> = Vec::new();
    for (path, reason) in declined {
        let path = format!("`{path}`");
        match summed.iter_mut().find(|(_, other)| *other == reason) {
            Some((paths, _)) => paths.push(path),
            None => summed.push((vec![path], reason)),
        }
    }
    summed
}

/// The first of `names`, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What is brought, the secrets first, and what it weighs.
fn message(brings: &str, taken: &[Candidate<'_>], [before, after]: [Sent; 2]) -> String {
    let names = |ones: Vec<&Candidate<'_>>| {
        let slash = |one: &Candidate<'_>| if one.is_directory { "/" } else { "" };
        let names = ones
            .iter()
            .map(|one| format!("`{}{}`", one.path, slash(one)));
        listed(&names.collect::<Vec<_>>())
    };
    let (secrets, mut rest): (Vec<_>, Vec<_>) = taken.iter().partition(|one| one.kind.secret);
    rest.sort_by_key(|one| one.kind.minor);
    let mut told = Vec::new();
    if !secrets.is_empty() {
        told.push(format!("{} would end up in the image", names(secrets)));
    }
    if !rest.is_empty() {
        told.push(format!("`{brings}` brings {}", names(rest)));
    }
    let told = told.join("; ");
    let them = if taken.len() == 1 { "it" } else { "them" };
    let [before, after] = [before, after].map(walk::shown);
    format!("{told}; without {them} the build context shrinks from {before} to {after}")
}
