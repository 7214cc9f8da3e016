//! One Dockerfile on trial: as it is, and as the rules have it.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use super::lab::{Lab, Made, Recipe, syntax};
use super::{How, bisect, rebuild};
use crate::chain::Chain;
use crate::cli::chains::Chains;
use crate::cli::claims::Claims;
use crate::cli::contexts::{Contexts, Located};
use crate::cli::inputs::{Files, Input};
use crate::cli::layers::budget;
use crate::cli::run::{Done, optimized};
use crate::context::ignore::{self, Ignore};
use crate::engine::{EngineError, scan};
use crate::image::Analysis;
use crate::report::Report;
use crate::rule::{Applicability, Effect, Rule};
use crate::text::Source;
use crate::verify::{Compared, Measures, Outcome, Side, Tried, compare};
use crate::walk::PathError;

/// A Dockerfile, and all that its builds need.
pub(in crate::cli) struct Trial {
    input: Input,
    pub(in crate::cli) chain: Arc<Chain>,
    pub(super) located: Located,
    pub(in crate::cli) source: Source,
    pub(super) allow: Applicability,
    pub(in crate::cli) report: Report,
    /// The file to compare with, in place of what the rules make.
    against: Option<Vec<u8>>,
    /// What is to be said of how the project builds it.
    notes: Vec<String>,
}

/// The original, built.
pub(super) struct Original {
    side: Side,
    /// A second build of it, without the cache, as soon as one is asked for; `None` where that fails.
    fresh: OnceCell<Option<Side>>,
}

impl Original {
    fn fresh(&self, trial: &Trial, lab: &Lab<'_>) -> Result<Option<&Side>> {
        if let Some(fresh) = self.fresh.get() {
            return Ok(fresh.as_ref());
        }
        let (ignore, title) = (
            trial.located.ignore_text(),
            trial.title("as it is, without the cache"),
        );
        let fresh = match lab.build(&trial.recipe(&ignore, &title), true)? {
            Ok(made) => Some(lab.examined(&made)?.1),
            Err(EngineError::Build(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(self.fresh.get_or_init(|| fresh).as_ref())
    }
}

/// What stands on the rewritten side.
pub(super) struct Rewrite {
    pub(super) dockerfile: Vec<u8>,
    /// The ignore file after it.
    pub(super) ignore: Vec<u8>,
    /// The rules whose fixes are in it, in the order of the chain.
    pub(super) rules: Vec<String>,
    pub(super) effects: Vec<Effect>,
}

impl Trial {
    /// The Dockerfiles of `files`, and those that cannot be tried: all must have a build context.
    pub(in crate::cli) fn all(
        files: &Files,
        allow: Applicability,
    ) -> Result<(Vec<Self>, Vec<PathError>)> {
        let (mut trials, mut errors) = Self::every(files, allow)?;
        trials.retain(|trial| {
            let is_known = trial.located.disk.is_some();
            if !is_known {
                errors.push(PathError::new(trial.path(), &trial.located.how));
            }
            is_known
        });
        Ok((trials, errors))
    }

    /// The Dockerfiles of `files`, and those that cannot be read or that BuildKit refuses.
    pub(in crate::cli) fn every(
        files: &Files,
        allow: Applicability,
    ) -> Result<(Vec<Self>, Vec<PathError>)> {
        let mut chains = Chains::new(&files.selection)?;
        let (inputs, mut errors) = files.dockerfiles(&mut chains)?;
        let mut contexts = Contexts::new(files.context.as_deref())?;
        let mut trials = Vec::new();
        for input in inputs {
            match Self::of(input, &mut chains, &mut contexts, allow) {
                Ok(trial) => trials.extend(trial),
                Err(error) => errors.push(error),
            }
        }
        Ok((trials, errors))
    }

    fn of(
        input: Input,
        chains: &mut Chains,
        contexts: &mut Contexts,
        allow: Applicability,
    ) -> Result<Option<Self>, PathError> {
        let Some(chain) = chains.of(input.target())? else {
            return Ok(None);
        };
        let source = input.read()?;
        let located = contexts.of(&input).context(&source.text);
        let report = optimized(&chain, &located, &input, source.clone(), allow);
        if let Some(refused) = report.refused.first() {
            let line = crate::text::LineIndex::new(&source.text)
                .line_column(refused.span.start)
                .0;
            let message = format!("BuildKit refuses the file: {}", refused.message);
            return Err(PathError::at_line(input.path(), line, message));
        }
        Ok(Some(Self {
            input,
            chain,
            located,
            source,
            allow,
            report,
            against: None,
            notes: Vec::new(),
        }))
    }

    /// Takes away the fixes that write what another Dockerfile of the run writes.
    ///
    /// # Errors
    /// As [`Claims::settle`].
    pub(in crate::cli) fn settle(&mut self, claims: &mut Claims) -> Result<(), PathError> {
        let mut done = self.done();
        claims.settle(&mut done)?;
        self.report = done.report;
        Ok(())
    }

    /// The path that reports name.
    pub(in crate::cli) fn path(&self) -> &Path {
        self.input.path()
    }

    /// How it is built: as `how` says, and where that leaves something open, as the project does.
    pub(in crate::cli) fn complete(&mut self, how: &How) -> How {
        let (how, notes) = self.located.as_built.complete(how);
        self.notes = notes;
        how
    }

    /// Takes the file at `path` in place of what the rules make.
    pub(super) fn replace(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read(path).with_context(|| format!("`{}`", path.display()))?;
        self.against = Some(text);
        Ok(())
    }

    /// Leaves a rule out from here on.
    pub(in crate::cli) fn leave_out(&mut self, rule: &str) -> Result<()> {
        let mut rules = self.chain.rules().to_vec();
        rules.retain(|one| one.id != rule);
        self.chain = Arc::new(Chain::in_order(rules)?);
        let chain = Arc::clone(&self.chain);
        self.report = self.optimized(&chain);
        Ok(())
    }

    /// What the rules up to `rule` make of the file.
    pub(in crate::cli) fn up_to(&self, rule: &Rule) -> Result<Report> {
        let rules = self.chain.rules();
        let end = rules.iter().position(|one| one.id == rule.id);
        let rules = &rules[..end.map_or(rules.len(), |end| end + 1)];
        Ok(self.optimized(&Chain::in_order(rules.to_vec())?))
    }

    /// What `chain` makes of the file.
    pub(super) fn optimized(&self, chain: &Chain) -> Report {
        let source = self.source.clone();
        optimized(chain, &self.located, &self.input, source, self.allow)
    }

    /// What is to be written when all is well.
    pub(in crate::cli) fn done(&self) -> Done<'_> {
        Done {
            input: &self.input,
            report: self.report.clone(),
            context: self.located.how.clone(),
            build: self.located.input.clone(),
            site: self.located.site.clone(),
            root: self
                .located
                .disk
                .as_ref()
                .map(|disk| disk.root().to_owned()),
            notes: Vec::new(),
            is_narrowed: false,
        }
    }

    /// Builds both sides and compares them.
    pub(in crate::cli) fn outcome(&self, lab: &Lab<'_>) -> Result<Outcome> {
        let rewrite = self.rewrite(&self.report);
        let ignore = self.located.ignore_text();
        if rewrite.dockerfile == self.source.text && rewrite.ignore == ignore {
            return Ok(Outcome::Unchanged);
        }
        let original = match lab.build(&self.recipe(&ignore, &self.title("as it is")), false)? {
            Ok(made) => made,
            Err(EngineError::Build(said)) => return Ok(Outcome::NotBuilt(self.hinted(said))),
            Err(error) => return Err(error.into()),
        };
        let (analysis, before) = lab.examined(&original)?;
        if let Some(answer) = before.answer.as_ref().filter(|one| one.is_silence()) {
            let said = String::from_utf8_lossy(&answer.body);
            bail!("the image as it is {said}");
        }
        let mut tried = Tried {
            rules: rewrite.rules.clone(),
            before: measures(&analysis, &before, &original, lab),
            notes: self.notes(lab, &before),
            ..Tried::default()
        };
        drop(analysis);
        let fresh = OnceCell::new();
        let before = Original {
            side: before,
            fresh,
        };
        match lab.build(&self.rewritten(&rewrite, &self.title("rewritten")), false)? {
            Ok(rewritten) => {
                self.weigh(lab, &rewrite, &before, &rewritten, &mut tried)?;
                tried.rebuilds = rebuild::rebuilds(self, lab, &rewrite)?;
                scan(lab, [&original, &rewritten], &mut tried);
            }
            Err(EngineError::Build(said)) => tried.said = Some(said),
            Err(error) => return Err(error.into()),
        }
        if !tried.does_the_same() {
            tried.culprit = self.culprit(lab, &before, &rewrite)?;
        }
        Ok(Outcome::Tried(Box::new(tried)))
    }

    /// Measures the rewritten image and holds it against the original and the budget.
    fn weigh(
        &self,
        lab: &Lab<'_>,
        rewrite: &Rewrite,
        before: &Original,
        rewritten: &Made,
        tried: &mut Tried,
    ) -> Result<()> {
        let (analysis, after) = lab.examined(rewritten)?;
        tried.after = Some(measures(&analysis, &after, rewritten, lab));
        if let Some((limits, _)) = budget::nearest(Some(self.path()))? {
            tried.exceeded = limits.exceeded(&analysis);
        }
        drop(analysis);
        tried.compared = self.compared(lab, before, &after, rewrite)?;
        Ok(())
    }

    /// What differs. What differs between two builds of the original too, the second one without the cache, is noise.
    pub(super) fn compared(
        &self,
        lab: &Lab<'_>,
        original: &Original,
        after: &Side,
        rewrite: &Rewrite,
    ) -> Result<Compared> {
        let text = String::from_utf8_lossy(&rewrite.dockerfile);
        let ignored = self.newly_ignored(&rewrite.ignore);
        let compare_to = |before: &Side, after: &Side, effects: &[Effect]| {
            compare(before, after, effects, &text, &ignored)
        };
        let before = &original.side;
        let mut compared = compare_to(before, after, &rewrite.effects);
        if compared.is_verified() {
            return Ok(compared);
        }
        if let Some(fresh) = original.fresh(self, lab)? {
            let between = compare_to(before, fresh, &[]);
            compared.settle(&between, &compare_to(fresh, after, &rewrite.effects));
        }
        Ok(compared)
    }

    /// The rule with which the trouble begins.
    fn culprit(
        &self,
        lab: &Lab<'_>,
        before: &Original,
        rewrite: &Rewrite,
    ) -> Result<Option<String>> {
        match (&self.against, rewrite.rules.as_slice()) {
            (Some(_), _) | (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => bisect::culprit(self, lab, before, &rewrite.rules).map(Some),
        }
    }

    /// The rewritten side as `report` has it.
    pub(super) fn rewrite(&self, report: &Report) -> Rewrite {
        if let Some(text) = &self.against {
            return Rewrite {
                dockerfile: text.clone(),
                ignore: self.located.ignore_text(),
                rules: Vec::new(),
                effects: Vec::new(),
            };
        }
        let applied = report.findings.iter().filter(|finding| finding.applied);
        let ids: BTreeSet<&str> = applied
            .clone()
            .map(|finding| finding.rule.as_str())
            .collect();
        let rules = self.chain.rules().iter();
        let rules: Vec<_> = rules
            .filter(|rule| ids.contains(rule.id.as_str()))
            .collect();
        let fixes = applied.filter_map(|finding| finding.fix.as_ref());
        let mut files = fixes.flat_map(|fix| &fix.files);
        let is_ignore =
            |path: &&(PathBuf, Vec<u8>)| path.0.to_string_lossy().ends_with(ignore::FILE_NAME);
        let written = files.rfind(is_ignore);
        Rewrite {
            dockerfile: report.output.clone(),
            ignore: written.map_or_else(|| self.located.ignore_text(), |(_, text)| text.clone()),
            rules: rules.iter().map(|rule| rule.id.clone()).collect(),
            effects: rules.iter().flat_map(|rule| rule.effects.clone()).collect(),
        }
    }

    /// The context's directory.
    pub(super) fn context(&self) -> &Path {
        let disk = self.located.disk.as_ref();
        disk.map_or(Path::new("."), |disk| disk.root())
    }

    pub(super) fn recipe<'r>(&'r self, ignore: &'r [u8], title: &'r str) -> Recipe<'r> {
        Recipe {
            dockerfile: &self.source.text,
            ignore,
            context: self.context(),
            title,
            provenance: false,
        }
    }

    pub(super) fn rewritten<'r>(&'r self, rewrite: &'r Rewrite, title: &'r str) -> Recipe<'r> {
        Recipe {
            dockerfile: &rewrite.dockerfile,
            ignore: &rewrite.ignore,
            context: self.context(),
            title,
            provenance: false,
        }
    }

    /// `building backend/Dockerfile, rewritten`
    pub(super) fn title(&self, how: &str) -> String {
        format!("building {}, {how}", self.path().display())
    }

    /// The files of the context that `after` ignores and the ignore file of today does not.
    fn newly_ignored(&self, after: &[u8]) -> Vec<String> {
        let before = self.located.ignore_text();
        if before == after {
            return Vec::new();
        }
        let (Ok(old), Ok(new)) = (Ignore::parse(&before), Ignore::parse(after)) else {
            return Vec::new();
        };
        let files = rebuild::files(self.context());
        files
            .filter(|file| new.ignores(file) && !old.ignores(file))
            .collect()
    }

    /// What an engine says of a failed build, with what may help.
    fn hinted(&self, said: String) -> String {
        let mut lines = self.notes.clone();
        let syntax = syntax(&self.source.text);
        let is_pulled = |image: &&String| {
            said.contains("resolve") && said.contains(image.split('@').next().unwrap_or(image))
        };
        let hint = syntax.as_ref().filter(is_pulled).map(|image| {
            format!("the image `{image}` of the `# syntax=` line cannot be pulled: try `--offline`")
        });
        lines.push(said.clone());
        lines.extend(hint);
        lines.join("\n")
    }

    fn notes(&self, lab: &Lab<'_>, before: &Side) -> Vec<String> {
        let mut notes = self.notes.clone();
        let tries = lab.how.smoke.is_some() || lab.how.http.is_some();
        if tries && before.answer.is_none() {
            notes.push(format!(
                "{} runs no containers: the images were not tried",
                lab.engine.name()
            ));
        }
        if let (true, Some(image)) = (lab.how.offline, syntax(&self.source.text)) {
            notes.push(format!("built without the `# syntax={image}` line"));
        }
        notes
    }
}

/// Counts the vulnerabilities of both images, where that is wanted.
fn scan(lab: &Lab<'_>, images: [&Made; 2], tried: &mut Tried) {
    if !lab.how.scan {
        return;
    }
    match scan::severities(images.map(|made| made.name.as_str())) {
        Ok(counts) => tried.scans = Some(counts.map(Into::into)),
        Err(why) => tried.notes.push(why),
    }
}

fn measures(analysis: &Analysis, side: &Side, made: &Made, lab: &Lab<'_>) -> Measures {
    Measures {
        bytes: analysis.size,
        compressed: analysis.compressed,
        layers: analysis.layers.len(),
        wasted: analysis.wasted,
        efficiency: analysis.efficiency,
        paths: side.tree.count(),
        seconds: made.built.seconds,
        image: lab.keep(made),
    }
}
