//! The chain: rules in phases, each on a fresh parse of the text that the one before it left. Pure.
//!
//! The whole chain runs again until nothing changes, so that a second run on its output changes nothing either.

mod alone;
mod choose;
mod files;
mod marks;
mod rebuild;
mod rounds;
mod suppress;
mod wrap;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use crate::context::BuildContext;
use crate::context::ignore::Ignore;
use crate::context::overlay::Overlay;
use crate::context::site::Site;
use crate::guard::{self, Violation};
use crate::model::{Model, ModelInput};
use crate::pass::runs::Stage;
use crate::pass::{Findings, Pass, PassContext};
use crate::passes;
use crate::report::{Decline, Finding, Fix, Refusal, Report, Withheld};
use crate::rule::{Applicability, Estimate, Rule};
use crate::syntax::Dockerfile;
use crate::text::{Edit, Patch, Source, Span, WayBack};

pub use choose::{Choice, Choose, Offer};

use choose::Choices;
use marks::Searched;
use suppress::Suppressions;

/// The rules of a run, in the order in which they run, each with its pass.
#[derive(Default)]
pub struct Chain {
    rules: Vec<Rule>,
    /// The pass of each rule, in the same order.
    passes: Vec<Box<dyn Pass>>,
    /// [`Pass::marks`] of each.
    marks: Vec<Vec<String>>,
}

/// A rule that cannot run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainError {
    /// The rule's id.
    pub rule: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}`: {}", self.rule, self.message)
    }
}

impl std::error::Error for ChainError {}

impl Chain {
    /// A chain of those of `rules` that are enabled, by phase, and by id inside a phase.
    ///
    /// # Errors
    /// The first rule whose pass is unknown or cannot read the rule's data.
    pub fn new(rules: Vec<Rule>) -> Result<Self, ChainError> {
        let mut rules = rules;
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        Self::in_order(rules)
    }

    /// The same with the rules of a phase in the order in which they come: it must not matter.
    ///
    /// # Errors
    /// As for [`Chain::new`].
    pub fn in_order(mut rules: Vec<Rule>) -> Result<Self, ChainError> {
        rules.retain(|rule| rule.enabled);
        rules.sort_by_key(|rule| rule.phase);
        let pass_of = |rule: &Rule| {
            passes::build(rule).map_err(|message| ChainError {
                rule: rule.id.clone(),
                message,
            })
        };
        let passes: Vec<_> = rules.iter().map(pass_of).collect::<Result<_, _>>()?;
        let marks = passes.iter().map(|pass| pass.marks());
        let marks = marks.map(|marks| marks.into_iter().map(str::to_owned).collect());
        Ok(Self {
            marks: marks.collect(),
            rules,
            passes,
        })
    }

    /// The same chain, every pass of which looks at every file: for tests of [`Pass::marks`].
    #[must_use]
    pub fn without_marks(mut self) -> Self {
        self.marks.iter_mut().for_each(Vec::clear);
        self
    }

    /// Whether the pass of rule number `rule` may find something in `text`.
    fn concerns(&self, rule: usize, text: &Searched<'_>) -> bool {
        let marks = &self.marks[rule];
        marks.is_empty() || marks.iter().any(|mark| text.holds(mark))
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

/// What is known of a build besides its Dockerfile.
pub struct Build<'a> {
    /// The files that COPY and ADD may bring.
    pub context: &'a dyn BuildContext,
    /// Targets, build arguments and named contexts.
    pub input: ModelInput,
    /// Where the Dockerfile stands, and who else builds from the context.
    pub site: Site,
    /// Whether fixes may write files of the context. If not, those that would are only reported.
    pub writes_files: bool,
    /// Whether fixes are wanted one at a time as well: [`Finding::alone`].
    pub alone: bool,
    /// Who is asked before a fix is made; `None`: nobody, and all are made.
    pub choose: Option<&'a Choose<'a>>,
}

impl<'a> Build<'a> {
    /// A build of `Dockerfile` at the root of a context, of which nothing else is known.
    pub fn of(context: &'a dyn BuildContext) -> Self {
        Self {
            context,
            input: ModelInput::default(),
            site: Site::at("Dockerfile"),
            writes_files: true,
            alone: false,
            choose: None,
        }
    }

    /// What the ignore file says; `None` where it cannot be read.
    fn ignore(&self) -> Option<Ignore> {
        Some(self.site.ignore(self.context).ok()?.ignore)
    }
}

/// Runs the chain over one Dockerfile. Fixes of at least `allow` are applied; less sure ones are only reported.
pub fn optimize(chain: &Chain, build: &Build<'_>, source: Source, allow: Applicability) -> Report {
    let file = Dockerfile::parse(&source.text);
    let refused = refusals(&file);
    let mut run = Run {
        chain,
        build,
        context: Overlay::new(build.context),
        allow: allow.max(Applicability::Unsafe),
        text: source.text.clone(),
        history: Vec::new(),
        applied: Vec::new(),
        last: Said::default(),
        suggested: None,
        choices: Choices::default(),
        parsed: None,
    };
    if refused.is_empty() {
        run.settle(file);
    }
    let Run {
        text,
        mut applied,
        last,
        suggested,
        ..
    } = run;
    applied.extend(last.findings);
    applied.sort_by_key(|finding| finding.span);
    alone::check(&mut applied, &chain.rules, &source.text);
    let mut declined = last.declined;
    declined.sort_by_key(|decline| decline.span);
    let reordered = applied
        .iter()
        .any(|finding| finding.applied && !finding.rebuilds.is_empty());
    let rebuilds = match reordered {
        true => rebuild::rebuilds(build, &source.text, &text),
        false => Vec::new(),
    };
    Report {
        source,
        output: text,
        suggested,
        findings: applied,
        declined,
        withheld: last.withheld,
        refused,
        rebuilds,
    }
}

fn refusals(file: &Dockerfile) -> Vec<Refusal> {
    let errors = file.errors.iter();
    errors
        .map(|error| Refusal {
            message: error.message.clone(),
            span: error.span,
        })
        .collect()
}

/// What was said in one round and is not in the text.
#[derive(Default, Clone)]
struct Said {
    findings: Vec<Finding>,
    declined: Vec<Decline>,
    withheld: Vec<Withheld>,
}

struct Run<'a> {
    chain: &'a Chain,
    build: &'a Build<'a>,
    /// The context with the files that fixes wrote.
    context: Overlay<'a>,
    allow: Applicability,
    text: Vec<u8>,
    /// The way back through every patch so far, each of the text that the one before it made.
    history: Vec<WayBack>,
    applied: Vec<Finding>,
    last: Said,
    /// The text with what is only suggested.
    suggested: Option<Vec<u8>>,
    /// What was chosen so far, where somebody is asked.
    choices: Choices,
    /// What was parsed last for the guard: most often the next text.
    parsed: Option<(Vec<u8>, Dockerfile)>,
}

impl Run<'_> {
    /// What changes cost without and with the fixes that are left out. Their patches are of the present text, which the
    /// last round left as it was.
    fn cost_of_the_rest(&mut self) {
        let rules = self.chain.rules.iter();
        let concerned: BTreeSet<&str> = rules
            .filter(|rule| rebuild::concerns(rule))
            .map(|rule| rule.id.as_str())
            .collect();
        let mut findings = std::mem::take(&mut self.last.findings);
        let costs = findings
            .iter_mut()
            .filter(|finding| concerned.contains(finding.rule.as_str()))
            .filter(|finding| !is_suggestion(finding));
        let costs = costs.take(rebuild::MOST_FINDINGS);
        costs.for_each(|finding| self.cost(finding, &self.text));
        self.last.findings = findings;
    }

    /// What changes cost without and with the fix of `finding`, whose patch is of `text`.
    fn cost(&self, finding: &mut Finding, text: &[u8]) {
        let patch = patch_of(finding);
        if !patch.is_empty() {
            finding.rebuilds = rebuild::rebuilds(self.build, text, &patch.apply(text));
        }
    }

    /// Makes the patches of suggestions that go together, aside. They are of the present text.
    fn suggest(&mut self) {
        let findings = self.last.findings.iter();
        let suggested: Vec<Finding> = findings
            .filter(|finding| is_suggestion(finding))
            .cloned()
            .collect();
        let (patch, _) = union(&suggested);
        let after = patch.apply(&self.text);
        if !patch.is_empty() && Dockerfile::parse(&after).errors.is_empty() {
            self.suggested = Some(after);
        }
    }

    /// Breaks the lines that grew too long. The guard lets nothing through but a change of layout.
    fn wrapped(&self, original: &[u8], text: &[u8]) -> Vec<u8> {
        let back = |offset| self.original(Span::at(offset)).start;
        let patch = wrap::patch(original, text, &self.build.input, back);
        let after = patch.apply(text);
        match guard::check(text, &after, &[]) {
            Ok(()) => after,
            Err(_) => text.to_vec(),
        }
    }

    /// Runs one rule; whether it changed the text.
    fn apply(&mut self, rule: &Rule, pass: &dyn Pass, tree: &Tree<'_>) -> bool {
        let mut said = Findings::default();
        let cx = PassContext {
            rule,
            text: tree.text,
            file: tree.file,
            model: tree.model,
            stages: tree.stages,
            context: &self.context,
            site: &self.build.site,
        };
        pass.run(&cx, &mut said);
        for (span, reason) in said.declined {
            let (rule, span) = (rule.id.clone(), self.original(span));
            self.last.declined.push(Decline { rule, span, reason });
        }
        let mut chosen = Vec::new();
        for (span, message, fix) in said.reported {
            if tree.suppressed.cover(rule, span) {
                let (rule, span) = (rule.id.clone(), self.original(span));
                let reason = "a comment keeps this rule away".to_owned();
                self.last.declined.push(Decline { rule, span, reason });
                continue;
            }
            let wanted = fix.as_ref().is_some_and(|fix| {
                let may_write = fix.files.is_empty() || self.build.writes_files;
                fix.applicability >= self.allow && may_write
            });
            let finding = Finding {
                alone: self.alone(fix.as_ref()),
                rule: rule.id.clone(),
                span: self.original(span),
                message,
                estimate: fix.as_ref().and_then(|fix| estimate(rule, fix)),
                fix,
                applied: wanted,
                rebuilds: Vec::new(),
            };
            match wanted {
                true => chosen.push(finding),
                false => self.last.findings.push(finding),
            }
        }
        let chosen = self.with_good_files(rule, tree, chosen);
        let (patch, mut applied) = self.guarded(rule, tree, chosen);
        let costs = applied.iter_mut().filter(|_| rebuild::concerns(rule));
        costs.for_each(|finding| self.cost(finding, tree.text));
        let (patch, applied) = self.asked(rule, tree, patch, applied);
        let wrote = self.write_files(&applied);
        if patch.is_empty() && !wrote {
            return false;
        }
        self.text = patch.apply(tree.text);
        self.history.push(patch.way_back());
        self.applied.extend(applied);
        true
    }

    /// Puts the files of fixes into the context that later rules see; whether there are any.
    fn write_files(&mut self, applied: &[Finding]) -> bool {
        let files = applied.iter().flat_map(|finding| &finding.fix);
        let files: Vec<_> = files.flat_map(|fix| &fix.files).collect();
        for (path, bytes) in &files {
            self.context.put(&path.to_string_lossy(), bytes.clone());
        }
        !files.is_empty()
    }

    /// The findings whose files may be written. The first one that writes a file has it for this round.
    fn with_good_files(
        &mut self,
        rule: &Rule,
        tree: &Tree<'_>,
        findings: Vec<Finding>,
    ) -> Vec<Finding> {
        let mut taken: BTreeSet<PathBuf> = BTreeSet::new();
        let mut good = Vec::new();
        for finding in findings {
            let files = finding.fix.as_ref().map_or(&[][..], |fix| &fix.files);
            if files.iter().any(|(path, _)| taken.contains(path)) {
                continue;
            }
            taken.extend(files.iter().map(|(path, _)| path.clone()));
            let checked = files.iter().try_for_each(|(path, after)| {
                let written = files::Written {
                    path: &path.to_string_lossy(),
                    after,
                };
                files::check(&written, &self.context, &self.build.site, tree.model, rule)
            });
            match checked {
                Ok(()) => good.push(finding),
                Err(reason) => self.withhold(finding, reason),
            }
        }
        good
    }

    /// The findings whose patches go together and pass the guard, and their joint patch. One that overlaps another is
    /// left for the next round; one that the guard stops is withheld.
    fn guarded(
        &mut self,
        rule: &Rule,
        tree: &Tree<'_>,
        findings: Vec<Finding>,
    ) -> (Patch, Vec<Finding>) {
        if findings.is_empty() {
            return (Patch::default(), findings);
        }
        let (patch, together) = union(&findings);
        let stopped = match self.check(rule, tree, &patch) {
            Ok(()) => return (patch, keep(findings, &together)),
            Err(violation) => violation,
        };
        let mut passed = Vec::new();
        for finding in keep(findings, &together) {
            match self.check(rule, tree, patch_of(&finding)) {
                Ok(()) => passed.push(finding),
                Err(violation) => self.withhold(finding, violation.reason),
            }
        }
        let (patch, _) = union(&passed);
        if self.check(rule, tree, &patch).is_ok() {
            return (patch, passed);
        }
        for finding in passed {
            self.withhold(finding, stopped.reason.clone());
        }
        (Patch::default(), Vec::new())
    }

    /// What the guard says of the patch.
    fn check(&mut self, rule: &Rule, tree: &Tree<'_>, patch: &Patch) -> Result<(), Violation> {
        let after = patch.apply(tree.text);
        if after == tree.text {
            return Ok(());
        }
        let file = Dockerfile::parse(&after);
        let verdict = guard::check_parsed((tree.file, tree.text), (&file, &after), &rule.effects);
        self.parsed = Some((after, file));
        verdict
    }

    fn withhold(&mut self, finding: Finding, reason: String) {
        self.last.withheld.push(Withheld {
            rule: finding.rule,
            span: finding.span,
            reason,
        });
    }

    /// `fix`, whose patch is of the present text, without the fixes before it; `None` where it writes other files too.
    fn alone(&self, fix: Option<&Fix>) -> Option<Patch> {
        let fix = fix.filter(|fix| self.build.alone && fix.files.is_empty())?;
        alone::of_the_source(&fix.patch, &self.history)
    }

    /// A span of the present text in the text that was read.
    fn original(&self, span: Span) -> Span {
        let back = |offset| {
            let patches = self.history.iter().rev();
            patches.fold(offset, |offset, patch| patch.offset(offset))
        };
        let start = back(span.start);
        let end = match span.is_empty() {
            true => start,
            false => back(span.end - 1) + 1,
        };
        Span::new(start, end.max(start))
    }
}

/// One text and what was read from it.
struct Tree<'a> {
    suppressed: Suppressions,
    text: &'a [u8],
    file: &'a Dockerfile,
    model: &'a Model<'a>,
    stages: &'a [Stage<'a>],
}

fn patch_of(finding: &Finding) -> &Patch {
    static NONE: Patch = Patch::empty();
    finding.fix.as_ref().map_or(&NONE, |fix: &Fix| &fix.patch)
}

fn is_suggestion(finding: &Finding) -> bool {
    let fix = finding.fix.as_ref();
    fix.is_some_and(|fix| fix.applicability == Applicability::Suggestion)
}

/// The patches of as many findings as go together, first come first served, and which of them those are.
fn union(findings: &[Finding]) -> (Patch, Vec<bool>) {
    let all: Vec<Edit> = findings
        .iter()
        .flat_map(|one| patch_of(one).edits())
        .cloned()
        .collect();
    if let Ok(patch) = Patch::new(all) {
        return (patch, vec![true; findings.len()]);
    }
    let mut taken = BTreeSet::new();
    let mut edits: Vec<Edit> = Vec::new();
    let mut together = Vec::with_capacity(findings.len());
    for finding in findings {
        let patch = patch_of(finding);
        let fits = patch.edits().iter().all(|edit| is_free(&taken, edit.span));
        together.push(fits);
        if fits {
            taken.extend(patch.edits().iter().map(|edit| edit.span));
            edits.extend_from_slice(patch.edits());
        }
    }
    (Patch::new(edits).unwrap_or_default(), together)
}

/// Whether `span` meets none of the disjoint spans in `taken`.
fn is_free(taken: &BTreeSet<Span>, span: Span) -> bool {
    let before = taken.range(..=span).next_back();
    let after = taken.range(span..).next();
    before.is_none_or(|before| before.end <= span.start && *before != span)
        && after.is_none_or(|after| span.end <= after.start)
}

fn keep(findings: Vec<Finding>, wanted: &[bool]) -> Vec<Finding> {
    let pairs = findings.into_iter().zip(wanted);
    pairs
        .filter_map(|(finding, wanted)| wanted.then_some(finding))
        .collect()
}

/// What a fix of a rule saves, as far as one of them says.
fn estimate(rule: &Rule, fix: &Fix) -> Option<Estimate> {
    let known = rule.estimate.clone()?;
    let saving = fix.saving.unwrap_or(known.saving);
    Some(Estimate { saving, ..known })
}
