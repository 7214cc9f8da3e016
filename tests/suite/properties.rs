//! What holds for every file: the project's own, generated ones, and bytes that are no Dockerfile at all.

use std::collections::BTreeMap;
use std::path::Path;

use dockeropt::chain::Chain;
use dockeropt::context::{BuildContext, MemoryContext, NoContext};
use dockeropt::report::Report;
use dockeropt::syntax::{Dockerfile, Keyword};
use proptest::prelude::*;

use crate::files::{name_of, own_dockerfiles};
use crate::generate::{drafts, junk};
use crate::invariants::{Damage, damages};
use crate::patching::applies_and_reverses;
use crate::run::{
    all_rules, chain_of_rules, context_of, default_chain, every_rule, memory_context, run,
};
use crate::shell::{bash_accepts, shell_bodies};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_files_are_accepted(draft in drafts()) {
        let file = Dockerfile::parse(&draft.text());
        prop_assert!(file.is_accepted(), "{:?}\n{}", file.errors, String::from_utf8_lossy(&draft.text()));
    }

    #[test]
    fn items_tile_generated_files_and_junk(draft in drafts(), junk in junk()) {
        prop_assert_eq!(tiling_gap(&draft.text()), None);
        prop_assert_eq!(tiling_gap(&junk), None);
    }

    #[test]
    fn no_rules_change_no_byte(draft in drafts(), junk in junk()) {
        for text in [draft.text(), junk] {
            let report = run(&Chain::default(), &NoContext, &text);
            prop_assert!(report.output == text);
        }
    }

    #[test]
    fn generated_files_are_not_damaged(draft in drafts()) {
        let text = draft.text();
        for context in [&NoContext as &dyn BuildContext, memory_context().as_ref()] {
            let found = damages_of(&every_rule(), context, &text);
            prop_assert!(found.is_empty(), "{found:?}\n{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn junk_is_not_damaged(junk in junk()) {
        let mut text = b"FROM debian:12\n".to_vec();
        text.extend(&junk);
        for text in [junk, text] {
            let found = damages_of(&every_rule(), &NoContext, &text);
            prop_assert!(found.is_empty(), "{found:?}\n{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn wrapping_and_comments_do_not_change_which_rules_fire(draft in drafts()) {
        // A comment of the shell that goes on over lines, with one of the Dockerfile in it, leaves no place to write.
        prop_assume!(!draft.breaks_a_shell_comment());
        let (wrapped, single) = (draft.text(), draft.on_single_lines());
        // A comment inside the value of ENV is what `env-key-value` declines for: the property is of RUN. And of the
        // lines themselves one rule speaks.
        let of_lines = ["env-key-value", "continuation-without-blanks"];
        let fired = |text: &[u8]| {
            let mut rules = fired(&run(&default_chain(), &NoContext, text));
            // What goes in one round from one line may take two from another.
            rules.dedup();
            rules.retain(|rule| !of_lines.contains(&rule.as_str()));
            rules
        };
        let (left, right) = (fired(&wrapped), fired(&single));
        let shown = String::from_utf8_lossy(&wrapped).into_owned();
        prop_assert_eq!(left, right, "{}", shown);
    }
}

proptest! {
    // Each case starts six processes.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn diffs_of_generated_files_apply_and_reverse(draft in drafts()) {
        let report = run(&every_rule(), &NoContext, &draft.text());
        prop_assert_eq!(applies_and_reverses(&report), Ok(()));
    }
}

#[test]
fn items_tile_our_files() {
    for (path, text) in own_dockerfiles() {
        assert_eq!(tiling_gap(&text), None, "{}", name_of(&path));
    }
}

#[test]
fn no_rules_change_no_byte_of_our_files() {
    for (path, text) in own_dockerfiles() {
        let report = run(&Chain::default(), &NoContext, &text);
        assert!(report.output == text, "{}", name_of(&path));
        assert_eq!(
            report.refused.is_empty(),
            Dockerfile::parse(&text).is_accepted(),
            "{}",
            name_of(&path)
        );
    }
}

#[test]
fn our_files_are_not_damaged() {
    let mut wrong = Vec::new();
    for (path, text) in own_dockerfiles() {
        for context in contexts_of(&path) {
            let found = damages_of(&every_rule(), context.as_ref(), &text);
            wrong.extend(
                found
                    .into_iter()
                    .map(|(damage, evidence)| (name_of(&path), damage, evidence)),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn diffs_of_our_files_apply_and_reverse() {
    for (path, text) in own_dockerfiles() {
        for context in contexts_of(&path) {
            let report = run(&every_rule(), context.as_ref(), &text);
            assert_eq!(applies_and_reverses(&report), Ok(()), "{}", name_of(&path));
        }
    }
}

#[test]
fn shell_bodies_of_our_cases_are_valid() {
    for (path, text) in own_dockerfiles() {
        if !name_of(&path).starts_with("tests/cases") {
            continue;
        }
        for body in shell_bodies(&Dockerfile::parse(&text), &text) {
            let shown = String::from_utf8_lossy(&body.text);
            let name = name_of(&path);
            assert!(body.is_read, "{name}: our reader refuses {shown}");
            assert_ne!(bash_accepts(&body.text), Some(false), "{name}: {shown}");
        }
    }
}

#[test]
fn the_examples_of_each_rule_hold() {
    let mut wrong = Vec::new();
    for rule in all_rules() {
        assert!(!rule.examples.is_empty(), "{} has no example", rule.id);
        for example in rule.examples.iter() {
            let chain = chain_of_rules(&[&rule.id]);
            let files = example
                .files
                .iter()
                .map(|(path, text)| (path, text.as_bytes()));
            let context = files.collect::<MemoryContext>();
            let context: &dyn BuildContext = match example.files.is_empty() {
                true => &NoContext,
                false => &context,
            };
            let report = run(&chain, context, &complete(&example.before));
            let fixes = report.findings.iter().flat_map(|finding| &finding.fix);
            let written: BTreeMap<String, String> = fixes
                .flat_map(|fix| &fix.files)
                .map(|(path, bytes)| {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    (path.to_string_lossy().into_owned(), text)
                })
                .collect();
            let output = report.suggested.as_ref().unwrap_or(&report.output);
            if *output != complete(&example.after) || written != example.writes {
                let output = String::from_utf8_lossy(output).into_owned();
                wrong.push((rule.id.clone(), output, report.declined));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Without the rules that are off by default: which case of keywords wins depends on how many there are by then.
#[test]
fn the_order_inside_a_phase_does_not_matter() {
    let forth = default_chain();
    let mut rules = forth.rules().to_vec();
    rules.reverse();
    let back = Chain::in_order(rules).expect("the same rules");
    let mut wrong = Vec::new();
    for (path, text) in own_dockerfiles() {
        for context in contexts_of(&path) {
            let outputs = [&forth, &back].map(|chain| run(chain, context.as_ref(), &text).output);
            if outputs[0] != outputs[1] {
                let [one, other] =
                    outputs.map(|output| String::from_utf8_lossy(&output).into_owned());
                wrong.push(format!("{}\n{one}\n-----\n{other}", name_of(&path)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} files:\n{}",
        wrong.len(),
        wrong.join("\n=====\n")
    );
}

#[test]
fn a_pass_that_need_not_run_would_say_nothing() {
    let (chain, all) = (every_rule(), every_rule().without_marks());
    for (path, text) in own_dockerfiles() {
        for context in contexts_of(&path) {
            let said = [&chain, &all].map(|chain| {
                let report = run(chain, context.as_ref(), &text);
                (fired(&report), report.declined, report.output)
            });
            assert_eq!(said[0], said[1], "{}", path.display());
        }
    }
}

/// Four times the file takes about four times the CPU time: sixteen times would be quadratic.
#[test]
fn large_files_take_linear_time() {
    let many = |line: &'static str| ("FROM debian:12\n", line, "");
    let one = |head: &'static str, line: &'static str| (head, line, "true\n");
    let shapes = [
        many("RUN apt-get update && apt-get install -y curl\n"),
        many("RUN apt-get update\nRUN apt-get install -y curl\n"),
        many("RUN pip install flask\n"),
        many("ENV A b\n"),
        many("# comment\n"),
        many("FROM debian:12\n"),
        one("FROM debian:12\nRUN ", "apt-get install -y curl && \\\n"),
        one(
            "FROM debian:12\nRUN ",
            "apt-get install -y curl ; \\\n  # comment\n",
        ),
        one("FROM debian:12\nRUN ", "( \\\n"),
        one("FROM debian:12\nRUN ", "$( \\\n"),
        one("FROM debian:12\nRUN ", "{ if true; then \\\n"),
        one("FROM debian:12\nRUN ", "\" ' \\\n"),
        one("FROM debian:12\nRUN ", "<<A \\\n"),
        one("FROM debian:12\nENV ", "A=b \\\n"),
        one("FROM debian:12\nCOPY ", "a \\\n"),
        one("FROM debian:12\nRUN ", "\\\n"),
    ];
    for (head, line, tail) in shapes {
        let cost = |lines: usize| {
            let text = [head, &line.repeat(lines), tail].concat();
            let start = cpu_ticks();
            let report = run(&every_rule(), &NoContext, text.as_bytes());
            assert!(
                report.withheld.is_empty(),
                "{line:?}: {:?}",
                report.withheld.first()
            );
            cpu_ticks() - start
        };
        let (small, large) = (cost(1_500), cost(6_000));
        // A hundredth of a second is what is measured: below a tenth it says nothing.
        assert!(
            large <= 10 + 9 * small.max(1),
            "{small} and {large} hundredths of a second for {line:?}"
        );
    }
}

/// The CPU time of this thread, in hundredths of a second.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("/proc");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
}

/// Where the items stop being the file, if they do.
fn tiling_gap(text: &[u8]) -> Option<u32> {
    let mut at = 0;
    for item in &Dockerfile::parse(text).items {
        if item.span().start != at || item.span().end < at {
            return Some(at);
        }
        at = item.span().end;
    }
    (at as usize != text.len()).then_some(at)
}

/// Without a context, and with the folder that a Dockerfile is in.
fn contexts_of(dockerfile: &Path) -> Vec<Box<dyn BuildContext>> {
    let mut contexts: Vec<Box<dyn BuildContext>> = vec![Box::new(NoContext)];
    if dockerfile.ends_with("Dockerfile") {
        contexts.extend(dockerfile.parent().map(context_of));
    }
    contexts
}

fn damages_of(chain: &Chain, context: &dyn BuildContext, text: &[u8]) -> Vec<(Damage, String)> {
    let report = run(chain, context, text);
    let again = run(chain, context, &report.output);
    damages(&report, &again.output)
}

/// The rules that fired, one entry a finding, sorted.
fn fired(report: &Report) -> Vec<String> {
    let mut rules: Vec<String> = report.findings.iter().map(|one| one.rule.clone()).collect();
    rules.sort();
    rules
}

/// An example with the FROM that it may leave out.
fn complete(example: &str) -> Vec<u8> {
    let file = Dockerfile::parse(example.as_bytes());
    let has_from = file.instructions().any(|one| one.keyword == Keyword::From);
    let head = if has_from { "" } else { "FROM debian:12\n" };
    [head, example].concat().into_bytes()
}
