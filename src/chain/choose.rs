//! Somebody who chooses among the fixes: asked before each one is made, when the guard has let it through.
//!
//! An answer stays: what was left is not asked about again in a later round, and what was taken is made as it was shown or
//! asked about again. The chain itself never decides.

use std::collections::HashSet;

use super::{Run, Tree, patch_of};
use crate::report::{Finding, Fix};
use crate::rule::Rule;
use crate::syntax::Dockerfile;
use crate::text::{Edit, Patch, Span};

/// Says what becomes of a fix.
pub type Choose<'a> = dyn Fn(&Offer<'_>) -> Choice + 'a;

/// A fix that would be made.
pub struct Offer<'a> {
    /// What it mends. Its patch is of `before`.
    pub finding: &'a Finding,
    /// The text as the fixes that were taken so far left it.
    pub before: &'a [u8],
    /// The text with this fix.
    pub after: &'a [u8],
}

/// What becomes of a fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// It is made.
    Take,
    /// It is not made, and its rule leaves that place alone for the rest of the run.
    Leave,
    /// This text takes the place of [`Offer::before`], and the rule leaves that place alone. What BuildKit would refuse is
    /// not taken, nor is a text in place of a fix that writes other files.
    Instead(Vec<u8>),
}

/// The choices of a run.
#[derive(Default)]
pub(super) struct Choices {
    /// Rule and place, in the text that was read, of what was left or changed by hand.
    left: Vec<(String, Span)>,
    /// What was taken but not made yet: rule, place, and the whole text that it was shown to make of the place.
    taken: HashSet<(String, Span, Vec<Vec<u8>>)>,
    /// How often a text was changed by hand.
    pub(super) edits: usize,
}

impl Choices {
    /// Whether the rule is to leave the place. Where the text around it changed, the place is known less exactly: what
    /// meets it counts.
    fn leave(&self, finding: &Finding) -> bool {
        let here = finding.span;
        let meets =
            |place: &Span| *place == here || place.start < here.end && here.start < place.end;
        let mut left = self.left.iter();
        left.any(|(rule, place)| *rule == finding.rule && meets(place))
    }
}

impl Run<'_> {
    /// `patch` and its findings without those that are not wanted; all of them where nobody is asked.
    pub(super) fn asked(
        &mut self,
        rule: &Rule,
        tree: &Tree<'_>,
        patch: Patch,
        findings: Vec<Finding>,
    ) -> (Patch, Vec<Finding>) {
        let Some(choose) = self.build.choose else {
            return (patch, findings);
        };
        let all = findings.len();
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for finding in findings {
            match self.choice(choose, tree, &finding) {
                Choice::Take => taken.push(finding),
                Choice::Leave => left.push(finding),
                Choice::Instead(text) => {
                    self.leave(left);
                    self.keep_for_later(taken);
                    return self.by_hand(tree.text, finding, &text);
                }
            }
        }
        self.leave(left);
        match taken.len() == all {
            true => (patch, taken),
            false => self.guarded(rule, tree, taken),
        }
    }

    /// What was chosen before, or is chosen now.
    fn choice(&self, choose: &Choose<'_>, tree: &Tree<'_>, finding: &Finding) -> Choice {
        if self.choices.taken.contains(&key(finding)) {
            return Choice::Take;
        }
        if self.choices.leave(finding) {
            return Choice::Leave;
        }
        let after = patch_of(finding).apply(tree.text);
        let choice = choose(&Offer {
            finding,
            before: tree.text,
            after: &after,
        });
        match choice {
            Choice::Instead(text) if text == after => Choice::Take,
            Choice::Instead(text) if text == tree.text || is_refused(&text) => Choice::Leave,
            Choice::Instead(_) if writes_files(finding) => Choice::Leave,
            choice => choice,
        }
    }

    /// These are reported, and not asked about again.
    fn leave(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            let place = (finding.rule.clone(), finding.span);
            self.choices.left.push(place);
            self.last.findings.push(Finding {
                applied: false,
                ..finding
            });
        }
    }

    /// These are made in the next round: another change of the text comes first.
    fn keep_for_later(&mut self, findings: Vec<Finding>) {
        self.choices.taken.extend(findings.iter().map(key));
    }

    /// The change that somebody made in place of the fix of `finding`. What it saves is not known.
    fn by_hand(&mut self, before: &[u8], finding: Finding, text: &[u8]) -> (Patch, Vec<Finding>) {
        self.choices.edits += 1;
        self.choices.left.push((finding.rule.clone(), finding.span));
        let patch = difference(before, text);
        let fix = finding.fix.map(|fix| Fix {
            patch: patch.clone(),
            ..fix
        });
        let finding = Finding {
            fix,
            alone: None,
            estimate: None,
            rebuilds: Vec::new(),
            ..finding
        };
        (patch, vec![finding])
    }
}

fn key(finding: &Finding) -> (String, Span, Vec<Vec<u8>>) {
    let edits = patch_of(finding).edits().iter();
    let texts = edits.map(|edit| edit.insert.clone()).collect();
    (finding.rule.clone(), finding.span, texts)
}

fn writes_files(finding: &Finding) -> bool {
    finding
        .fix
        .as_ref()
        .is_some_and(|fix| !fix.files.is_empty())
}

fn is_refused(text: &[u8]) -> bool {
    !Dockerfile::parse(text).errors.is_empty()
}

/// One edit that makes `after` of `before`: all between what both begin and end with.
fn difference(before: &[u8], after: &[u8]) -> Patch {
    let same =
        |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
    let start = same(&mut before.iter().zip(after));
    let shorter = before.len().min(after.len()) - start;
    let end = same(&mut before.iter().rev().zip(after.iter().rev())).min(shorter);
    let span = Span::new(start as u32, (before.len() - end) as u32);
    let edit = Edit::replace(span, &after[start..after.len() - end]);
    Patch::new(vec![edit]).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::chain::{Build, Chain, optimize};
    use crate::context::NoContext;
    use crate::report::Report;
    use crate::rule::{self, Applicability};
    use crate::text::Source;

    const TEXT: &str = "FROM a\nENV A 1\nENV B 2\nADD x /x\nENV C 3\n";

    /// What becomes of `text` with these choices, and what was asked: the rule, and what its fix makes.
    fn chosen(text: &str, choose: impl Fn(&Offer<'_>) -> Choice) -> (Report, Vec<String>) {
        let rules = rule::builtin().iter();
        let rules =
            rules.filter(|rule| ["copy-not-add", "env-key-value"].contains(&rule.id.as_str()));
        let chain = Chain::new(rules.cloned().collect()).unwrap();
        let asked = RefCell::new(Vec::new());
        let choose = |offer: &Offer<'_>| {
            let edits = patch_of(offer.finding).edits();
            let after = String::from_utf8_lossy(offer.after);
            let lines = after.lines().filter(|line| !text.contains(line));
            asked
                .borrow_mut()
                .push(lines.collect::<Vec<_>>().join("; "));
            assert!(!edits.is_empty());
            choose(offer)
        };
        let build = Build {
            choose: Some(&choose),
            ..Build::of(&NoContext)
        };
        let source = Source {
            path: "Dockerfile".into(),
            text: text.into(),
        };
        let report = optimize(&chain, &build, source, Applicability::Safe);
        (report, asked.into_inner())
    }

    fn output(report: &Report) -> &str {
        std::str::from_utf8(&report.output).unwrap()
    }

    fn is_about(offer: &Offer<'_>, word: &str) -> bool {
        let added = difference(offer.before, offer.after).edits()[0].span;
        String::from_utf8_lossy(&offer.before[..added.end as usize]).ends_with(word)
    }

    #[test]
    fn each_fix_is_asked_about_once_and_made_when_taken() {
        let (report, asked) = chosen(TEXT, |_| Choice::Take);
        assert_eq!(
            output(&report),
            "FROM a\nENV A=1\nENV B=2\nCOPY x /x\nENV C=3\n"
        );
        assert_eq!(asked.len(), 4, "{asked:#?}");
        let (report, asked) = chosen(TEXT, |_| Choice::Leave);
        assert_eq!(output(&report), TEXT);
        assert_eq!(asked.len(), 4, "{asked:#?}");
        assert!(report.findings.iter().all(|finding| !finding.applied));
        assert_eq!(report.findings.len(), 4);
    }

    #[test]
    fn what_is_left_stays_left_when_others_change_the_text() {
        let (report, asked) = chosen(TEXT, |offer| match is_about(offer, "ENV B ") {
            true => Choice::Leave,
            false => Choice::Take,
        });
        assert_eq!(
            output(&report),
            "FROM a\nENV A=1\nENV B 2\nCOPY x /x\nENV C=3\n"
        );
        assert_eq!(asked.len(), 4, "{asked:#?}");
    }

    #[test]
    fn a_text_by_hand_takes_the_place_of_a_fix() {
        let by_hand = |offer: &Offer<'_>| {
            let text = String::from_utf8_lossy(offer.before);
            text.replace("ENV B 2", "ENV B 22 # by hand").into_bytes()
        };
        let (report, asked) = chosen(TEXT, |offer| match is_about(offer, "ENV B ") {
            true => Choice::Instead(by_hand(offer)),
            false => Choice::Take,
        });
        let expected = "FROM a\nENV A=1\nENV B 22 # by hand\nCOPY x /x\nENV C=3\n";
        assert_eq!(output(&report), expected);
        assert_eq!(asked.len(), 4, "{asked:#?}");
        assert_eq!(report.findings.iter().filter(|one| one.applied).count(), 4);
    }

    #[test]
    fn many_texts_by_hand_are_no_endless_chain() {
        let text: String = (0..40).map(|n| format!("ENV A{n} {n}\n")).collect();
        let text = format!("FROM a\n{text}");
        let (report, asked) = chosen(&text, |offer| {
            let start = difference(offer.before, offer.after).edits()[0].span.start as usize;
            let (head, tail) = offer.before.split_at(start - 1);
            let rest = tail.iter().position(|byte| *byte == b'\n').unwrap();
            let name = [head, b"X=y".as_slice(), &tail[rest..]].concat();
            Choice::Instead(name)
        });
        assert_eq!(report.withheld, []);
        assert_eq!(output(&report).matches("X=y\n").count(), 40, "{asked:#?}");
    }

    #[test]
    fn what_buildkit_refuses_is_not_taken() {
        let (report, _) = chosen(TEXT, |_| Choice::Instead(b"FROM a\nRNU x\n".to_vec()));
        assert_eq!(output(&report), TEXT);
    }

    #[test]
    fn a_difference_is_what_lies_between_the_ends() {
        for (before, after) in [
            ("aab", "ab"),
            ("ab", "aab"),
            ("", "x"),
            ("x", ""),
            ("abc", "axc"),
        ] {
            let patch = difference(before.as_bytes(), after.as_bytes());
            assert_eq!(patch.apply(before.as_bytes()), after.as_bytes());
        }
    }
}
