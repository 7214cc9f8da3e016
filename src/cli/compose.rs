//! Dockerfiles inside compose files: each is worked on by itself, and what is said of it is said of the compose file.
//!
//! Files of the build context are never written for them.

use std::path::Path;

use super::contexts::{Located, Origin};
use super::inputs::Input;
use super::run::{self, Done};
use crate::chain::{Build, Chain, optimize};
use crate::context::locate::inline::{self, Inline};
use crate::context::site::Site;
use crate::model::ModelInput;
use crate::report::Report;
use crate::rule::Applicability;
use crate::text::Source;
use crate::walk::PathError;

/// What is done to the Dockerfiles of a compose file.
pub(super) struct Task<'a> {
    pub(super) chain: &'a Chain,
    pub(super) origin: &'a Origin,
    /// Fixes of at least that applicability are applied.
    pub(super) allow: Applicability,
    /// Whether fixes are wanted one at a time as well.
    pub(super) alone: bool,
}

/// What the chain says about the Dockerfiles of the compose file `source`, which is `input`.
///
/// # Errors
/// Where it is no YAML.
pub(super) fn done<'a>(
    input: &'a Input,
    source: Source,
    task: &Task<'_>,
) -> Result<Done<'a>, PathError> {
    let fault = |message: String| PathError::new(input.path(), message);
    let file = String::from_utf8(source.text.clone());
    let file = file.map_err(|_| fault("is not UTF-8".to_owned()))?;
    let inlines = match file.contains(inline::KEY) {
        true => inline::inlines(&file),
        // Nothing else of the file is of interest.
        false => Ok(Vec::new()),
    };
    let inlines = inlines.map_err(|error| fault(format!("is not YAML: {error}")))?;
    let mut whole = Whole::new(&file, source);
    let mut how = Vec::new();
    if inlines.is_empty() {
        whole.note(None, &format!("no service has a `{}`", inline::KEY));
    }
    for one in &inlines {
        match one {
            Ok(inline) => {
                let (report, context) = report(input, inline, task)?;
                how.push(format!("service `{}`: {context}", inline.service));
                whole.add(inline, report);
            }
            Err(left) => {
                let (service, reason) = (&left.service, left.reason);
                let message = format!("the Dockerfile of `{service}` is left alone: {reason}");
                whole.note(left.line, &message);
            }
        }
    }
    let (report, notes) = whole.report();
    Ok(Done {
        input,
        report,
        context: how.join("; "),
        root: None,
        build: ModelInput::default(),
        site: Site::default(),
        notes,
        is_narrowed: false,
    })
}

/// What the chain says about one of them, and how its build context was found.
fn report(input: &Input, inline: &Inline, task: &Task<'_>) -> Result<(Report, String), PathError> {
    let source = Source {
        path: input.path().to_owned(),
        text: inline.text.clone().into_bytes(),
    };
    run::caught(input.path(), || {
        let found: Located = task.origin.inline(&inline.service);
        let build = Build {
            alone: task.alone,
            ..run::build(&found, input)
        };
        let report = optimize(task.chain, &build, source, task.allow);
        (report, found.how)
    })
}

/// The report on a compose file, as it grows.
struct Whole<'t> {
    file: &'t str,
    report: Report,
    /// The text of each Dockerfile after the fixes, and with what is only suggested.
    outputs: Vec<(&'t Inline, String)>,
    suggested: Vec<(&'t Inline, String)>,
    notes: Vec<String>,
}

impl<'t> Whole<'t> {
    fn new(file: &'t str, source: Source) -> Self {
        let report = Report {
            output: source.text.clone(),
            source,
            suggested: None,
            findings: Vec::new(),
            declined: Vec::new(),
            withheld: Vec::new(),
            refused: Vec::new(),
            rebuilds: Vec::new(),
        };
        Self {
            file,
            report,
            outputs: Vec::new(),
            suggested: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn note(&mut self, line: Option<u32>, message: &str) {
        let path: &Path = &self.report.source.path;
        let line = line.map(|line| format!("{line}:")).unwrap_or_default();
        self.notes
            .push(format!("{}:{line} {message}", path.display()));
    }

    /// Takes over what is said about `inline`.
    fn add(&mut self, inline: &'t Inline, mut one: Report) {
        let mut output = self.written(inline, one.output);
        if output.is_none() {
            let message = format!(
                "the Dockerfile of `{}` is left alone: its rewrite is not read back from the file as it is",
                inline.service
            );
            let line = crate::text::LineIndex::new(self.file.as_bytes());
            let start = inline.span(crate::text::Span::at(0)).start;
            self.note(Some(line.line(start)), &message);
            for finding in &mut one.findings {
                (finding.applied, finding.fix, finding.alone) = (false, None, None);
            }
            one.suggested = None;
            output = Some(inline.text.clone());
        }
        let suggested = one.suggested.and_then(|text| self.written(inline, text));
        self.suggested
            .extend(suggested.or(output.clone()).map(|text| (inline, text)));
        self.outputs.extend(output.map(|text| (inline, text)));
        let all = &mut self.report;
        for mut finding in one.findings {
            finding.span = inline.span(finding.span);
            let alone = finding.alone.take();
            finding.alone = alone.and_then(|patch| inline.patch(self.file, &patch));
            all.findings.push(finding);
        }
        let declined = one.declined.iter_mut().map(|decline| &mut decline.span);
        let withheld = one.withheld.iter_mut().map(|withheld| &mut withheld.span);
        let refused = one.refused.iter_mut().map(|refusal| &mut refusal.span);
        for span in declined.chain(withheld).chain(refused) {
            *span = inline.span(*span);
        }
        all.declined.append(&mut one.declined);
        all.withheld.append(&mut one.withheld);
        all.refused.append(&mut one.refused);
        all.rebuilds.extend(one.rebuilds);
    }

    /// `text`, if the file can hold it in place of `inline`.
    fn written(&self, inline: &Inline, text: Vec<u8>) -> Option<String> {
        let text = String::from_utf8(text).ok()?;
        inline::replaced(self.file, &[(inline, &text)])?;
        Some(text)
    }

    fn report(mut self) -> (Report, Vec<String>) {
        let replaced = |texts: &[(&Inline, String)]| {
            let texts: Vec<_> = texts
                .iter()
                .map(|(one, text)| (*one, text.as_str()))
                .collect();
            inline::replaced(self.file, &texts).map(String::into_bytes)
        };
        let report = &mut self.report;
        match replaced(&self.outputs) {
            Some(output) => report.output = output,
            // Each on its own can be written: what cannot be told is not claimed.
            None => report
                .findings
                .iter_mut()
                .for_each(|finding| finding.applied = false),
        }
        let suggested = replaced(&self.suggested);
        report.suggested = suggested.filter(|text| *text != report.output);
        report.findings.sort_by_key(|finding| finding.span);
        report.declined.sort_by_key(|decline| decline.span);
        (self.report, self.notes)
    }
}
