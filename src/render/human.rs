//! Reports as text for people: one line a finding, and a summary.

use super::diff::Note;
use super::snippet::{Message, Weight, snippet};
use super::{ERROR, Look, RULE, Tally, visible_line};
use crate::report::{Changed, Finding, Rebuild, Report, Steps};
use crate::rule::{Applicability, Effect, Rule, Saving};
use crate::text::{LineIndex, Span};

/// `path:line:column: rule: message [applicability, saving, rebuild]`, a line each.
pub fn findings(report: &Report, look: Look) -> String {
    let place = Places::new(report);
    let lines = report.findings.iter().map(|finding| {
        let rule = look.paint(RULE, &finding.rule);
        let message = visible_line(&finding.message);
        let (place, more) = (place.of(finding.span), brackets(finding));
        format!("{place}: {rule}: {message} {more}\n")
    });
    lines.collect()
}

/// The same with the lines that each finding is about and its fix, for people.
pub fn explained_findings(report: &Report, look: Look) -> String {
    let shown = report.findings.iter().map(|finding| {
        let more = brackets(finding);
        let is_suggestion = finding_applicability(finding) == Applicability::Suggestion;
        let help = finding.fix.iter();
        let help = help.map(|fix| format!("{} {more}", fix.title));
        let message = Message {
            weight: match is_suggestion {
                true => Weight::Note,
                false => Weight::Warning,
            },
            rule: Some(&finding.rule),
            title: &finding.message,
            path: &report.source.path,
            text: &report.source.text,
            span: finding.span,
            help: help.collect(),
            notes: Vec::new(),
        };
        snippet(&message, look)
    });
    shown.collect()
}

/// `rule: message [applicability, saving, rebuild]` of each fix that is made, for the hunk that makes it.
pub fn notes(report: &Report) -> Vec<Note> {
    let lines = LineIndex::new(&report.source.text);
    let applied = report.findings.iter().filter(|finding| finding.applied);
    let notes = applied.map(|finding| {
        let line = lines.line(finding.span.start) as usize - 1;
        let (message, more) = (visible_line(&finding.message), brackets(finding));
        Note {
            lines: line..line + 1,
            text: format!("{}: {message} {more}", finding.rule),
        }
    });
    notes.collect()
}

/// `[applicability, saving, rebuild]`.
pub fn brackets(finding: &Finding) -> String {
    let sure = finding_applicability(finding);
    let estimate = finding.estimate.as_ref();
    let saves = estimate.map(|one| format!(", {}", saving(one.saving)));
    let saves = saves.unwrap_or_default();
    let told = finding.rebuilds.iter().find(|one| one.differs());
    let runs = told.map(|one| format!(", {}", rebuild(one)));
    let runs = runs.unwrap_or_default();
    format!("[{sure}{saves}{runs}]")
}

/// `path: saves …`, where the fixes do; and what the unsafe ones would save that are left out.
pub fn savings(report: &Report) -> String {
    let path = visible_line(&report.source.path.to_string_lossy());
    match saved(report.saving(), report.unsafe_saving()) {
        Some(saves) => format!("{path}: {saves}\n"),
        None => String::new(),
    }
}

/// `path: after a change of …`, a line for each change after which more or fewer steps run than before the fixes.
pub fn rebuilds(report: &Report) -> String {
    let path = visible_line(&report.source.path.to_string_lossy());
    let rebuilds = report.rebuilds.iter().filter(|one| one.before != one.after);
    let lines = rebuilds.map(|one| format!("{path}: {}\n", rebuild(one)));
    lines.collect()
}

/// ``after a change of `src/app.py`: 7 of 9 steps run → 2 of 10``.
pub fn rebuild(rebuild: &Rebuild) -> String {
    let of = |name: &str| format!("of `{}`", visible_line(name));
    let change = match &rebuild.changed {
        Changed::Source(name) | Changed::Manifest(name) => format!("a change {}", of(name)),
        Changed::Argument(name) => format!("another value {}", of(name)),
    };
    let (before, after) = (rebuild.before, rebuild.after);
    format!(
        "after {change}: {} → {}",
        steps(before, " steps run"),
        steps(after, "")
    )
}

/// `7 of 9 steps run, 1 may`.
fn steps(steps: Steps, verb: &str) -> String {
    let Steps {
        cached,
        may_run,
        run,
    } = steps;
    let all = cached + may_run + run;
    let may = match may_run {
        0 => String::new(),
        some => format!(", {some} may"),
    };
    format!("{run} of {all}{verb}{may}")
}

/// `saves an estimated 17 to 45 MB, with the unsafe fixes …`; `None` where nothing is known of either.
pub fn saved(applied: Option<Saving>, left_out: Option<Saving>) -> Option<String> {
    let with = |all| format!("with the unsafe fixes {}", saving(all));
    match (applied, left_out) {
        (None, None) => None,
        (Some(some), None) => Some(format!("saves {}", saving(some))),
        (None, Some(more)) => Some(format!("saves {}", with(more))),
        (Some(some), Some(more)) => {
            Some(format!("saves {}, {}", saving(some), with(some.and(more))))
        }
    }
}

/// `an estimated 17 to 45 MB`. Megabytes of 1,000,000 bytes, as Docker counts.
pub fn saving(saving: Saving) -> String {
    let Saving { low, high } = saving;
    let tenth = 100_000;
    match low < tenth {
        true => format!("up to an estimated {} MB", megabytes(high)),
        false => format!("an estimated {} to {} MB", megabytes(low), megabytes(high)),
    }
}

/// One decimal below ten, none above.
fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    match tenths {
        0..100 if !tenths.is_multiple_of(10) => format!("{}.{}", tenths / 10, tenths % 10),
        _ => ((tenths + 5) / 10).to_string(),
    }
}

/// Why BuildKit refuses the file, an `error:` line each; with the lines of the file for people.
pub fn refusals(report: &Report, look: Look) -> String {
    if look.is_for_people() {
        let shown = report.refused.iter().map(|refusal| {
            let message = Message {
                weight: Weight::Error,
                rule: None,
                title: &format!("BuildKit refuses this file: {}", refusal.message),
                path: &report.source.path,
                text: &report.source.text,
                span: refusal.span,
                help: Vec::new(),
                notes: Vec::new(),
            };
            snippet(&message, look)
        });
        return shown.collect();
    }
    let place = Places::new(report);
    let error = look.paint(ERROR, "error:");
    let lines = report.refused.iter().map(|refusal| {
        let message = visible_line(&refusal.message);
        format!(
            "{error} {}: BuildKit refuses this file: {message}\n",
            place.of(refusal.span)
        )
    });
    lines.collect()
}

/// Patches that a check stopped, a line each.
pub fn withheld(report: &Report, look: Look) -> String {
    let place = Places::new(report);
    let lines = report.withheld.iter().map(|withheld| {
        let rule = look.paint(RULE, &withheld.rule);
        let reason = visible_line(&withheld.reason);
        format!("  {}: {rule}: {reason}\n", place.of(withheld.span))
    });
    lines.collect()
}

/// What was declined and why, a line each.
pub fn declined(report: &Report, look: Look) -> String {
    let place = Places::new(report);
    let lines = report.declined.iter().map(|decline| {
        let rule = look.paint(RULE, &decline.rule);
        let reason = visible_line(&decline.reason);
        format!("{}: {rule}: left alone: {reason}\n", place.of(decline.span))
    });
    lines.collect()
}

/// The heading above [`withheld`] lines.
pub const WITHHELD_HEADING: &str = "Bugs in dockeropt: these fixes were made, failed a check, and were not used. Please report them:\n";

/// How sure the fix of a finding is; what has no fix is a suggestion.
pub fn finding_applicability(finding: &Finding) -> Applicability {
    let fix = finding.fix.as_ref();
    fix.map_or(Applicability::Suggestion, |fix| fix.applicability)
}

/// The table of the rules, a line each.
pub fn rules(rules: &[Rule], look: Look) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let lines = rules.iter().map(|rule| {
        let id = look.paint(RULE, &rule.id);
        let pad = width - rule.id.len();
        let (phase, sure) = (rule.phase, rule.applicability);
        let off = if rule.enabled { "" } else { " (off)" };
        format!(
            "{id}{:pad$}  {phase:<9}  {sure:<10}  {}{off}\n",
            "", rule.summary
        )
    });
    lines.collect()
}

/// What an effect lets a rule change, in words.
pub fn effect(effect: &Effect) -> String {
    let words = match effect {
        Effect::Layers => {
            "step boundaries: the same commands, in the same order, in the same state"
        }
        Effect::Caches => "deletes package caches or indexes, or keeps them from being written",
        Effect::Packages => "flags that make an install smaller",
        Effect::Registries => "flags that say from where packages are installed",
        Effect::Order => "steps moved past steps that they do not interfere with",
        Effect::Sources => "a COPY of part of the sources in front of the COPY of all",
        Effect::Prefetch => "steps that only fetch what a later step installs",
        Effect::BuildCache => {
            "a build directory in a cache mount: its own packages deleted first, its programs copied out"
        }
        Effect::AssumeYes => "flags that answer a prompt with yes",
        Effect::Temp => "deletes a file that the same step downloaded",
        Effect::CopyMode => "owner or mode moved from a RUN into the COPY before it",
        Effect::Stages => "a build stage, and steps that move into it",
        Effect::Prune => "a last step of a build stage that deletes packages for development",
        Effect::UnusedCopies => "the last COPYs of a build stage, of which nothing is taken",
        Effect::Base => "the base image",
        Effect::SmallBase => "the base image: the small one of the same tag",
        Effect::Config(key) => return format!("the image's `{key}`"),
        Effect::File(path) => return format!("the file `{path}`"),
    };
    words.to_owned()
}

/// `2 unsafe fixes not included: apt-no-recommends 2 (up to an estimated 470 MB)`.
pub fn not_included(tally: &Tally) -> String {
    let rules = tally.not_included.iter().map(|(rule, (count, saved))| {
        let saves = saved.map(|one| format!(" ({})", saving(one)));
        format!("{rule} {count}{}", saves.unwrap_or_default())
    });
    let rules: Vec<_> = rules.collect();
    let fixes = count(tally.unsafe_fixes, "unsafe fix");
    format!("{fixes} not included: {}", rules.join(", "))
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = match (number, noun) {
        (1, _) => "",
        (_, "fix" | "unsafe fix") => "es",
        _ => "s",
    };
    format!("{number} {noun}{plural}")
}

/// The fixes by rule, the most frequent first: `apt-lists 3, copy-not-add 1`.
pub fn fixes(tally: &Tally) -> String {
    let mut rules: Vec<_> = tally.fixes.iter().collect();
    rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(**count), *rule));
    let parts: Vec<_> = rules
        .iter()
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    parts.join(", ")
}

/// `path:line:column` of the spans of one report.
struct Places {
    path: String,
    lines: LineIndex,
}

impl Places {
    fn new(report: &Report) -> Self {
        Self {
            path: visible_line(&report.source.path.to_string_lossy()),
            lines: LineIndex::new(&report.source.text),
        }
    }

    fn of(&self, span: Span) -> String {
        let (line, column) = self.lines.line_column(span.start);
        format!("{}:{line}:{column}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_in_words_and_in_json() {
        let counts = |cached, may_run, run| Steps {
            cached,
            may_run,
            run,
        };
        let one = Rebuild {
            changed: Changed::Source("src/\u{1b}.py".to_owned()),
            before: counts(2, 0, 7),
            after: counts(7, 1, 2),
        };
        let words = "after a change of `src/\\u{1b}.py`: 7 of 9 steps run → 2 of 10, 1 may";
        assert_eq!(rebuild(&one), words);
        let json = "{\"changed\":\"source\",\"name\":\"src/\\u001b.py\",\
                    \"before\":{\"cached\":2,\"may_run\":0,\"run\":7},\
                    \"after\":{\"cached\":7,\"may_run\":1,\"run\":2}}";
        assert_eq!(serde_json::to_string(&one).ok().as_deref(), Some(json));
        let argument = Rebuild {
            changed: Changed::Argument("SHA".to_owned()),
            ..one
        };
        assert!(rebuild(&argument).starts_with("after another value of `SHA`: "));
    }
}
