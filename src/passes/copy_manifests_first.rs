//! A COPY of the source in front of a dependency install: the manifests are copied first, the dependencies installed, and
//! then the source is copied, as its author wrote it.
//!
//! Looks at each stage by itself. Never changes what the COPY brings, and moves no step over one that it may depend on.

mod between;
mod brought;
mod cloned;
mod cut;
mod fetch;
mod installs;
mod others;
mod rewrite;
mod tools;

use serde::Deserialize;

use crate::context::ignore::{self, Ignore};
use crate::context::path;
use crate::pass::project_place::{Place, first_words};
use crate::pass::reads::Early;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::rule::Applicability;
use crate::syntax::Keyword;
use crate::text::Span;
use between::{Between, Fate, Moves};
use brought::Brought;
use installs::{Done, Found, Needs};
use rewrite::{Manifests, Rewrite};
use tools::Tools;

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct CopyManifestsFirst {
    tools: Tools,
}

impl Pass for CopyManifestsFirst {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        if !cx.context.is_known() {
            return decline_unknown(cx, out);
        }
        // A Dockerfile with an ignore file of its own is named `Dockerfile` where its context shows it.
        let Ok((_, ignore)) = ignore::load(cx.context, "", "Dockerfile") else {
            return;
        };
        let mut installed: Vec<Installed> = Vec::new();
        for (stage, one) in cx.stages.iter().enumerate() {
            let below = one.base.and_then(|base| installed.get(base)).cloned();
            let of_stage = self.stage(cx, stage, &ignore, below.unwrap_or_default(), out);
            installed.push(of_stage);
        }
    }
}

/// Without a context, an install behind a COPY of all of it is only pointed at.
fn decline_unknown(cx: &PassContext<'_>, out: &mut Findings) {
    for stage in cx.stages {
        if let Some(span) = behind_whole_context(stage, |_| false) {
            out.decline(span, "the build context is not known");
        }
    }
}

/// Points at installs behind the source in RUNs whose commands are not known.
fn decline_unread(stage: &Stage<'_>, brought: &[Brought<'_>], out: &mut Findings) {
    let has_source = |index: usize, step: &Step<'_>| {
        let mut brought = brought.iter();
        is_of_whole_context(step)
            || brought.any(|one| one.step == index && !one.directories.is_empty())
    };
    let mut steps = stage.steps.iter().enumerate();
    let source = steps.position(|(index, step)| has_source(index, step));
    for step in stage.steps.iter().skip(source.unwrap_or(usize::MAX)) {
        if let Some(reason) = installs::unread(step) {
            out.decline(shown_span(step.instruction), reason);
        }
    }
}

/// Whether a step copies the whole context.
fn is_of_whole_context(step: &Step<'_>) -> bool {
    const WHOLE: [&str; 3] = [".", "./", "/"];
    let instruction = step.instruction;
    let is_copy = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
    let mut sources = instruction.words().iter().rev().skip(1);
    let of_context = is_copy && instruction.flag("from").is_none();
    of_context && sources.any(|word| WHOLE.contains(&word.text.as_str()))
}

/// The first install behind a COPY of the whole context that is not known.
fn behind_whole_context(stage: &Stage<'_>, is_known: impl Fn(usize) -> bool) -> Option<Span> {
    let mut copied = false;
    for (index, step) in stage.steps.iter().enumerate() {
        copied |= !is_known(index) && is_of_whole_context(step);
        let Some(script) = step.script().filter(|_| copied) else {
            continue;
        };
        let commands = script.commands();
        let mut commands = commands.iter().map(|at| at.command);
        if let Some(install) = commands.find(|command| installs::is_of_a_project(command)) {
            return Some(install.span);
        }
    }
    None
}

/// As many COPYs and as many installs of a stage are held against each other.
const MOST: usize = 500;

/// Where dependencies are installed, and by what.
type Installed = Vec<Done>;

impl CopyManifestsFirst {
    /// Looks at one stage, in whose bases `installed` is; what is installed behind it.
    fn stage(
        &self,
        cx: &PassContext<'_>,
        stage: usize,
        ignore: &Ignore,
        mut installed: Installed,
        out: &mut Findings,
    ) -> Installed {
        let steps = 0..cx.stages[stage].steps.len();
        let brought = steps
            .clone()
            .filter_map(|step| Brought::of(cx, &cx.stages[stage], step, ignore));
        let brought: Vec<Brought<'_>> = brought.collect();
        let asked = steps.clone().map(|step| Place { cx, stage, step });
        let asked: usize = asked.map(|place| installs::count(&place)).sum();
        if brought.len().max(asked) > MOST {
            if let Some(first) = brought.first() {
                let reason = format!("the stage has more than {MOST} COPYs or installs");
                out.decline(shown_span(first.instruction), reason);
            }
            return installed;
        }
        decline_unread(&cx.stages[stage], &brought, out);
        cloned::decline(cx, &cx.stages[stage], out);
        let is_known = |step| brought.iter().any(|one| one.step == step);
        if let Some(span) = behind_whole_context(&cx.stages[stage], is_known) {
            out.decline(span, "what the COPY brings, or to where, is not known");
            return installed;
        }
        let found = steps
            .flat_map(|step| installs::of_step(&Place { cx, stage, step }, &brought, &self.tools));
        let mut found: Vec<Found> = found.collect();
        let all: Installed = found.iter().map(Done::of).collect();
        let mut from = 0;
        while let Some(source) = next_source(&brought, &found, from) {
            let before = found.iter().filter(|one| one.step < source.step);
            installed.extend(before.map(Done::of));
            // What runs again where it ran before the source came is right already.
            let is_new = |one: &Found| !installed.iter().any(|done| done.did(one));
            found.retain(|one| one.step < source.step || is_new(one));
            let place = Place {
                cx,
                stage,
                step: source.step,
            };
            let end = self.source(place, &brought, &found, source, out);
            from = end.max(source.step + 1);
        }
        installed.extend(all);
        installed
    }

    /// Looks at what is installed behind one COPY; the step at which to go on.
    fn source(
        &self,
        place: Place<'_>,
        brought: &[Brought<'_>],
        found: &[Found],
        source: &Brought<'_>,
        out: &mut Findings,
    ) -> usize {
        let behind: Vec<&Found> = found.iter().filter(|one| one.step > source.step).collect();
        let reads = context_paths(&behind);
        let between = Between {
            pass: self,
            place,
            brought,
            found,
            reads: &reads,
            source,
            absolute: false,
        };
        let mut moves = between.moves();
        if moves.installs.is_empty() && moves.is_blocked() {
            let other = Between {
                absolute: true,
                ..between
            }
            .moves();
            if !other.installs.is_empty() {
                moves = other;
            }
        }
        let moved = moves
            .installs
            .iter()
            .chain(moves.fetch.as_ref().map(|(_, install)| install));
        let moved: Vec<&Found> = moved.map(|index| &found[*index]).collect();
        for one in &behind {
            let is_moved = moved
                .iter()
                .any(|other| other.span == one.span || one.finds_what_is_fetched_by(other));
            match &one.reads {
                Err(reason) => out.decline(one.span, reason.clone()),
                Ok(_) if !is_moved => out.decline(one.span, moves.stopped.clone()),
                Ok(_) => {}
            }
        }
        let end = behind
            .iter()
            .map(|one| one.step)
            .max()
            .unwrap_or(source.step);
        if moved.is_empty() {
            return end;
        }
        if let Err((span, reason)) = report(place, brought, source, &moves, &moved, out) {
            out.decline(span, reason);
        }
        end
    }
}

/// The first COPY from step `from` on that brings more than what an install behind it reads, next to its project.
fn next_source<'b, 'a>(
    brought: &'b [Brought<'a>],
    found: &[Found],
    from: usize,
) -> Option<&'b Brought<'a>> {
    brought
        .iter()
        .filter(|one| one.step >= from && !one.directories.is_empty())
        .find(|one| {
            let behind: Vec<&Found> = found.iter().filter(|other| other.step > one.step).collect();
            let near = |other: &&Found| {
                let to = one.to.trim_end_matches('/');
                path::below(&other.directory, to).is_some()
                    || path::below(to, &other.directory).is_some()
            };
            behind.iter().any(near) && one.brings_more_than(&context_paths(&behind))
        })
}

/// What installs read, paths in the context.
fn context_paths(found: &[&Found]) -> Vec<String> {
    let needs = found.iter().filter_map(|one| one.reads.as_ref().ok());
    needs
        .flat_map(|needs| needs.places.iter().map(|(from, _)| from.clone()))
        .collect()
}

fn report(
    place: Place<'_>,
    brought: &[Brought<'_>],
    source: &Brought<'_>,
    moves: &Moves,
    moved: &[&Found],
    out: &mut Findings,
) -> Result<(), (Span, String)> {
    let cx = place.cx;
    let span = shown_span(source.instruction);
    let at = |reason: String| (moved.first().map_or(span, |one| one.span), reason);
    if place.step().before.is_windows() {
        return Err(at("the image is one of Windows".to_owned()));
    }
    let needs: Vec<&Needs> = moved
        .iter()
        .filter_map(|one| one.reads.as_ref().ok())
        .collect();
    if source.is_of_the_system() {
        return Err(at(format!("`{}` holds more than the source", source.to)));
    }
    if let Some(one) = moved.iter().find(|one| !one.is_fed(brought)) {
        let reason =
            "a manifest or lock file that it needs is not copied: it is not there, or ignored";
        return Err((one.span, reason.to_owned()));
    }
    overwritten(moved, brought, source).map_or(Ok(()), |reason| Err(at(reason)))?;
    let manifests = rewrite::manifests(cx, moved, brought, source, moves).map_err(&at)?;
    let goes_down = |(step, fate): &(usize, Fate)| {
        let keyword = place.stage().steps[*step].instruction.keyword;
        *fate == Fate::Early && keyword == Keyword::Workdir
    };
    let makes = manifests.is_empty() && moves.fates.iter().any(goes_down);
    if makes && !rewrite::is_of_root(place.stage(), source) {
        return Err(at(format!("who owns `{}` would change", source.to)));
    }
    let edits = Rewrite {
        cx,
        stage: place.stage(),
        source,
        moves,
        manifests: &manifests,
        installs: moved.iter().map(|one| one.step).collect(),
    }
    .edits();
    let shown = first_words(&cx.shown(span));
    let install = moved
        .first()
        .map(|one| first_words(&cx.shown(one.span)))
        .unwrap_or_default();
    let mut message =
        format!("`{shown}` stands before `{install}`: every edit of the source runs it again");
    let doubt = needs.iter().find_map(|needs| needs.reads.doubt.as_ref());
    let title = title(&manifests, moves);
    let Some(mut fix) = cx.fix(title, edits) else {
        return Err(at("the steps overlap".to_owned()));
    };
    if let Some(doubt) = doubt {
        fix.applicability = fix.applicability.min(Applicability::Unsafe);
        message.push_str(&format!("; {doubt}"));
    }
    // A RUN that moves or is cut in two is spoken of, too.
    let steps = &place.stage().steps;
    let spoken = moves.fates.iter().filter(|(step, fate)| {
        matches!(fate, Fate::Split(_)) || *fate == Fate::Early && steps[*step].is_run()
    });
    let spoken = spoken.map(|(step, _)| shown_span(steps[*step].instruction));
    out.report(spoken.fold(span, Span::cover), message, Some(fix));
    Ok(())
}

/// Why the COPY would replace what an install that runs before it wrote.
fn overwritten(moved: &[&Found], brought: &[Brought<'_>], source: &Brought<'_>) -> Option<String> {
    for found in moved {
        let Ok(needs) = &found.reads else {
            continue;
        };
        if needs.reads.early != Early::Itself {
            continue;
        }
        // What a directory holds is not told by its name.
        let behind = || {
            let late = brought.iter().filter(|one| !one.directories.is_empty());
            late.filter(|one| one.step >= source.step && one.step < found.step)
        };
        let hides = |(from, to): &&(String, String)| {
            let covers = |one: &Brought<'_>| path::is_at_or_below(to, &one.to);
            let is_brought = brought.iter().any(|one| one.puts(from, to));
            is_brought && behind().any(|one| covers(one) && !one.puts(from, to))
        };
        if let Some((from, _)) = needs.places.iter().find(hides) {
            return Some(format!("a COPY behind it may replace `{from}`"));
        }
        for written in &needs.reads.writes {
            let target = path::clean(&format!("{}/{written}", found.directory));
            let behind = brought
                .iter()
                .filter(|one| one.step >= source.step && one.step < found.step);
            if behind.into_iter().any(|one| one.reaches(&target)) {
                return Some(format!(
                    "`{written}` of the build context would replace what the install writes: it belongs into `.dockerignore`"
                ));
            }
        }
    }
    None
}

fn title(manifests: &[Manifests<'_>], moves: &Moves) -> String {
    let names = manifests.iter().flat_map(|one| &one.sources);
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let names = names.join(", ");
    if names.is_empty() {
        return "install the dependencies before the source is copied".to_owned();
    }
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let fetched = match moves.fetch {
        Some(_) => ", and fetch the dependencies",
        None => "",
    };
    format!("copy {names}{more} first{fetched}")
}
