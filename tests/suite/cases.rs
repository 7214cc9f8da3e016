//! Case folders: `tests/cases/<rule>/<case>/` holds a Dockerfile, the files of its build context, and `dockeropt.toml`
//! where the rule is configured. What that rule alone does is in `snapshots/<rule>/<case>.snap`.
//!
//! The folders `chain` and `traps` hold Dockerfiles for the whole default chain. In a folder with a file `no-context`
//! the context is not known. Snapshots are written by `INSTA_UPDATE=always cargo test cases`, and read before they are
//! committed; in CI a snapshot is never written.

use std::fmt::Write;
use std::panic::catch_unwind;
use std::path::Path;

use dockeropt::chain::Chain;
use dockeropt::context::BuildContext;
use dockeropt::context::overlay::Overlay;
use dockeropt::report::Report;
use dockeropt::text::{LineIndex, Span};

use crate::diff;
use crate::files::{folders_in, repository};
use crate::run::{case_chain, context_of, dockerfile_of, run};

#[test]
fn cases_do_what_their_snapshots_say() {
    let mut wrong = Vec::new();
    for group in folders_in(&repository("tests/cases")) {
        for case in folders_in(&group) {
            let (group, name) = (file_name(&group), file_name(&case));
            let told = story(&group, &case);
            let compared = catch_unwind(|| compare(&group, &name, &told));
            wrong.extend(compared.err().map(|_| format!("{group}/{name}")));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ: {wrong:#?}", wrong.len());
}

/// Everything that a run had to say, and the whole Dockerfile with what changed.
fn story(group: &str, case: &Path) -> String {
    let chain = case_chain(group, case);
    let context = context_of(case);
    let report = run(&chain, context.as_ref(), &dockerfile_of(case));
    told(&report) + &written(&chain, context.as_ref(), &report)
}

/// The files of the context that the fixes write, with what changed; and nothing is left for a second run to write.
fn written(chain: &Chain, context: &dyn BuildContext, report: &Report) -> String {
    let mut after = Overlay::new(context);
    let mut out = String::new();
    let applied = report.findings.iter().filter(|finding| finding.applied);
    for (path, bytes) in applied
        .flat_map(|finding| &finding.fix)
        .flat_map(|fix| &fix.files)
    {
        let path = path.to_string_lossy();
        let before = context.read(&path, usize::MAX).unwrap_or_default();
        let _ = write!(out, "\n{path}:\n{}", diff::whole(&before, bytes));
        after.put(&path, bytes.clone());
    }
    if !out.is_empty() {
        let again = run(chain, &after, &report.output);
        assert_eq!(again.files().count(), 0, "a second run writes again");
        assert_eq!(again.output, report.output, "a second run changes again");
    }
    out
}

fn compare(group: &str, name: &str, story: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(repository("snapshots").join(group));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, story));
}

fn told(report: &Report) -> String {
    let lines = LineIndex::new(&report.source.text);
    let place = |span: Span| {
        let (line, column) = lines.line_column(span.start);
        format!("{line}:{column}")
    };
    let mut out = String::new();
    for one in &report.refused {
        let _ = writeln!(out, "refused {}: {}", place(one.span), one.message);
    }
    for one in &report.findings {
        let _ = writeln!(
            out,
            "found {} {}: {}",
            place(one.span),
            one.rule,
            one.message
        );
        if let Some(fix) = &one.fix {
            let state = if one.applied {
                "applied"
            } else {
                "not applied"
            };
            let sure = format!("{:?}", fix.applicability).to_lowercase();
            let _ = writeln!(out, "      {sure}, {state}: {}", fix.title);
            for reason in &fix.reasons {
                let _ = writeln!(out, "      - {reason}");
            }
        }
    }
    for one in &report.declined {
        let _ = writeln!(
            out,
            "declined {} {}: {}",
            place(one.span),
            one.rule,
            one.reason
        );
    }
    for one in &report.withheld {
        let _ = writeln!(
            out,
            "WITHHELD {} {}: {}",
            place(one.span),
            one.rule,
            one.reason
        );
    }
    if out.is_empty() {
        out.push_str("nothing found, nothing declined\n");
    }
    let _ = write!(
        out,
        "\n{}",
        diff::whole(&report.source.text, &report.output)
    );
    if let Some(suggested) = &report.suggested {
        let _ = write!(
            out,
            "\nsuggested:\n{}",
            diff::whole(&report.output, suggested)
        );
    }
    out
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
