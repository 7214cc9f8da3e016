//! Findings as diagnostics of the protocol.

use lsp_types::{Diagnostic, DiagnosticSeverity, NumberOrString, Position, Range};

use super::analysis::Analysis;
use super::position::Places;
use crate::render::{human, visible};
use crate::report::Finding;
use crate::rule::Applicability;
use crate::walk::PathError;

/// What an editor shows beside the text.
pub(super) fn of(analysis: &Result<Analysis, PathError>, places: &Places<'_>) -> Vec<Diagnostic> {
    let report = match analysis {
        Ok(analysis) => &analysis.report,
        Err(error) => {
            // What is wrong is elsewhere, or everywhere.
            let start = Range::new(Position::new(0, 0), Position::new(0, 0));
            return vec![failure(start, &error.to_string())];
        }
    };
    let refused = report.refused.iter().map(|refusal| {
        let message = format!("BuildKit refuses this file: {}", refusal.message);
        failure(places.range(refusal.span), &message)
    });
    let findings = report.findings.iter();
    refused
        .chain(findings.map(|one| finding(one, places)))
        .collect()
}

/// One finding.
pub(super) fn finding(finding: &Finding, places: &Places<'_>) -> Diagnostic {
    let severity = match human::finding_applicability(finding) {
        Applicability::Safe => DiagnosticSeverity::WARNING,
        Applicability::Unsafe => DiagnosticSeverity::INFORMATION,
        Applicability::Suggestion => DiagnosticSeverity::HINT,
    };
    let message = format!("{} {}", finding.message, human::brackets(finding));
    Diagnostic {
        range: places.range(finding.span),
        severity: Some(severity),
        code: Some(NumberOrString::String(finding.rule.clone())),
        ..diagnostic(&message)
    }
}

fn failure(range: Range, message: &str) -> Diagnostic {
    Diagnostic {
        range,
        severity: Some(DiagnosticSeverity::ERROR),
        ..diagnostic(message)
    }
}

fn diagnostic(message: &str) -> Diagnostic {
    Diagnostic {
        source: Some("dockeropt".to_owned()),
        message: visible(message.as_bytes()),
        ..Diagnostic::default()
    }
}
