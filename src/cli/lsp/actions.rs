//! Fixes as code actions: those that can be made one at a time, and all safe ones together.
//!
//! What is only suggested is never offered, as it is never written.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, DocumentChanges, OneOf,
    OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit, TextEdit, WorkspaceEdit,
};

use super::analysis::Analysis;
use super::diagnostics;
use super::document::Document;
use super::position::Places;
use crate::render::{diff, visible};
use crate::report::Finding;
use crate::rule::Applicability;

/// The kind of the action that makes all safe fixes.
pub(super) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.dockeropt");

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) document: &'a Document,
    pub(super) places: &'a Places<'a>,
    /// Whether the client takes edits of one version of a document.
    pub(super) versioned: bool,
}

impl Asked<'_> {
    /// The actions for `range` of the kinds that the client wants.
    pub(super) fn actions(
        &self,
        analysis: &Analysis,
        range: Range,
        context: &CodeActionContext,
    ) -> Vec<CodeAction> {
        let mut actions = Vec::new();
        if wants(context, &CodeActionKind::QUICKFIX) {
            let here = |one: &&Finding| meet(self.places.range(one.span), range);
            let here: Vec<&Finding> = analysis.report.findings.iter().filter(here).collect();
            actions.extend(here.iter().filter_map(|finding| self.fix(finding)));
            let needs_others = |one: &&&Finding| one.applied && one.alone.is_none();
            let all = self.all(analysis, CodeActionKind::QUICKFIX);
            if let (Some(finding), Some(all)) = (here.iter().find(needs_others), all) {
                actions.push(CodeAction {
                    diagnostics: Some(vec![diagnostics::finding(finding, self.places)]),
                    ..all
                });
            }
        }
        if wants(context, &FIX_ALL) {
            actions.extend(self.all(analysis, FIX_ALL));
        }
        actions
    }

    /// The fix of one finding; `None` where it cannot be made on its own.
    fn fix(&self, finding: &Finding) -> Option<CodeAction> {
        let fix = finding.fix.as_ref()?;
        let sure = match fix.applicability {
            Applicability::Safe => "",
            Applicability::Unsafe => ", unsafe",
            Applicability::Suggestion => return None,
        };
        let edits = self.places.edits(finding.alone.as_ref()?)?;
        let title = visible(fix.title.as_bytes());
        Some(CodeAction {
            title: format!("{} ({}{sure})", capitalized(&title), finding.rule),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![diagnostics::finding(finding, self.places)]),
            edit: Some(self.edit(edits)),
            is_preferred: Some(fix.applicability == Applicability::Safe),
            ..CodeAction::default()
        })
    }

    /// All safe fixes; `None` where there are none.
    fn all(&self, analysis: &Analysis, kind: CodeActionKind) -> Option<CodeAction> {
        let report = &analysis.report;
        let patch = diff::patch(&report.source.text, &report.output);
        let edits = self.places.edits(&patch)?;
        (!edits.is_empty()).then(|| CodeAction {
            title: "Make all safe fixes (dockeropt)".to_owned(),
            kind: Some(kind),
            edit: Some(self.edit(edits)),
            ..CodeAction::default()
        })
    }

    fn edit(&self, edits: Vec<TextEdit>) -> WorkspaceEdit {
        let uri = self.document.uri.clone();
        if !self.versioned {
            #[expect(
                clippy::mutable_key_type,
                reason = "the type of the protocol; nothing changes a URI in it"
            )]
            let changes = HashMap::from([(uri, edits)]);
            return WorkspaceEdit::new(changes);
        }
        let version = Some(self.document.version);
        let edit = TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { uri, version },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        };
        WorkspaceEdit {
            document_changes: Some(DocumentChanges::Edits(vec![edit])),
            ..WorkspaceEdit::default()
        }
    }
}

/// Whether the client wants actions of `kind`: it names that, a kind above it, or none.
fn wants(context: &CodeActionContext, kind: &CodeActionKind) -> bool {
    let is_at_or_above = |wanted: &CodeActionKind| {
        let rest = kind.as_str().strip_prefix(wanted.as_str());
        wanted.as_str().is_empty()
            || rest.is_some_and(|rest| matches!(rest.chars().next(), None | Some('.')))
    };
    let only = context.only.as_ref();
    only.is_none_or(|only| only.iter().any(is_at_or_above))
}

/// Whether two ranges have a place in common, be it an end.
fn meet(one: Range, other: Range) -> bool {
    one.start <= other.end && other.start <= one.end
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase());
    first.into_iter().flatten().chain(chars).collect()
}
