//! What an editor shows where a finding is pointed at: the rule, why it exists, what it may change.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use super::analysis::Analysis;
use super::position::Places;
use crate::render::{explain, human, visible};
use crate::report::Finding;

/// What there is to say about the line of `position`; `None` where no rule has found anything there.
pub(super) fn at(
    position: Position,
    analysis: &Analysis,
    places: &Places<'_>,
    kind: MarkupKind,
) -> Option<Hover> {
    let is_here = |finding: &&Finding| {
        let range = places.range(finding.span);
        (range.start.line..=range.end.line).contains(&position.line)
    };
    let findings = analysis.report.findings.iter().filter(is_here);
    let mut texts: Vec<String> = findings.clone().map(|one| text(one, analysis)).collect();
    texts.dedup();
    let first = findings.into_iter().next()?;
    let value = texts.join("\n\n---\n\n");
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent { kind, value }),
        range: Some(places.range(first.span)),
    })
}

fn text(finding: &Finding, analysis: &Analysis) -> String {
    let mut out = format!("**{}**: ", finding.rule);
    let rule = analysis.rule(&finding.rule);
    out.extend(rule.map(|rule| format!("{}\n\n", rule.summary)));
    let message = format!("{} {}", finding.message, human::brackets(finding));
    out.push_str(&visible(message.as_bytes()));
    let fix = finding.fix.iter();
    for reason in fix.flat_map(|fix| &fix.reasons) {
        out.push_str(&format!("\n- {}", visible(reason.as_bytes())));
    }
    out.extend(rule.map(|rule| format!("\n\n{}", explain::markdown(rule))));
    out
}
