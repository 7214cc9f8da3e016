//! Rounds: all rules one after the other, and again, until none of them changes the text.

use super::marks::Searched;
use super::suppress::Suppressions;
use super::{Run, Said, Tree};
use crate::context::overlay::Overlay;
use crate::model::Model;
use crate::pass::runs;
use crate::report::{Decline, Withheld};
use crate::syntax::Dockerfile;
use crate::text::Span;

/// After so many rounds a chain that still changes its own output is broken, and nothing of it is used.
const MAX_ROUNDS: usize = 12;

/// How far the rules have come.
#[derive(Default)]
struct Round {
    /// How many were done before.
    done: usize,
    /// The rule that is next.
    next: usize,
    /// Whether one changed the text.
    changed: bool,
    /// How many texts were changed by hand before.
    edits: usize,
    /// What was declined in the first round.
    first: Option<Vec<Decline>>,
}

/// What a text comes to.
enum End {
    /// A rule made another one of it.
    Changed,
    /// No rule has anything to change.
    Settled,
    /// The rules never settle.
    Endless,
}

impl Run<'_> {
    /// Runs the rules over the text, of which `file` was parsed, until none of them changes it.
    pub(super) fn settle(&mut self, mut file: Dockerfile) {
        let original = self.text.clone();
        let mut round = Round::default();
        loop {
            let text = self.text.clone();
            match self.on(&text, &file, &mut round) {
                End::Changed => file = self.reparsed(file),
                End::Settled => break,
                End::Endless => return self.give_up(original),
            }
        }
        if let Some(first) = &round.first {
            as_of_the_file(&mut self.last.declined, first);
        }
        self.cost_of_the_rest();
        self.suggest();
        self.text = self.wrapped(&original, &self.text);
    }

    /// Runs rules, in as many rounds as it takes, until one changes `text`. One that ran on this text in the round before
    /// says the same again.
    fn on(&mut self, text: &[u8], file: &Dockerfile, round: &mut Round) -> End {
        let chain = self.chain;
        let model = Model::of(file, text, &self.build.input);
        let stages = runs::stages(&model);
        let searched = Searched::of(text);
        let tree = Tree {
            suppressed: Suppressions::of(file, text),
            text,
            file,
            model: &model,
            stages: &stages,
        };
        let mut known: Vec<Option<Said>> = vec![None; chain.rules.len()];
        loop {
            for (at, known) in known.iter_mut().enumerate().skip(round.next) {
                if !chain.concerns(at, &searched) {
                    continue;
                }
                if let Some(said) = known.take() {
                    self.last.extend(said);
                    continue;
                }
                let before = std::mem::take(&mut self.last);
                let changes = self.apply(&chain.rules[at], chain.passes[at].as_ref(), &tree);
                let said = std::mem::replace(&mut self.last, before);
                *known = round.changed.then(|| said.clone());
                self.last.extend(said);
                if changes {
                    round.next = at + 1;
                    round.changed = true;
                    return End::Changed;
                }
            }
            if !round.changed {
                return End::Settled;
            }
            if !self.begin(round) {
                return End::Endless;
            }
        }
    }

    /// Begins another round; `false` where there were enough.
    fn begin(&mut self, round: &mut Round) -> bool {
        let said = std::mem::take(&mut self.last);
        let edits = self.choices.edits;
        *round = Round {
            // Whoever is asked changes a text by hand only so often: that is no chain that does not end.
            done: round.done + usize::from(edits == round.edits),
            next: 0,
            changed: false,
            edits,
            first: round.first.take().or(Some(said.declined)),
        };
        round.done < MAX_ROUNDS
    }

    /// The present text, parsed, of which `old` was the one before.
    fn reparsed(&mut self, old: Dockerfile) -> Dockerfile {
        let parsed = self.parsed.take().filter(|(text, _)| *text == self.text);
        let parsed = parsed.map(|(_, file)| file);
        let mut file = parsed.unwrap_or_else(|| Dockerfile::parse(&self.text));
        file.take_scripts(old);
        file
    }

    /// Leaves the file as it was, `original`.
    fn give_up(&mut self, original: Vec<u8>) {
        self.text = original;
        self.context = Overlay::new(self.build.context);
        self.history.clear();
        self.applied.clear();
        self.last = Said::default();
        self.last.withheld.push(Withheld {
            rule: "chain".to_owned(),
            span: Span::default(),
            reason: format!("the rules still change their own output after {MAX_ROUNDS} rounds"),
        });
    }
}

impl Said {
    fn extend(&mut self, more: Self) {
        self.findings.extend(more.findings);
        self.declined.extend(more.declined);
        self.withheld.extend(more.withheld);
    }
}

/// Where a rule declined the file as it is for another reason than it does what the other rules left, the former is told:
/// the latter may speak of what is not in the file.
fn as_of_the_file(declined: &mut [Decline], first: &[Decline]) {
    for decline in declined {
        let said = |other: &&Decline| other.rule == decline.rule && other.span == decline.span;
        let is_same = |other: &Decline| other.reason == decline.reason;
        let mut of_the_file = first.iter().filter(said);
        if let Some(other) = of_the_file.next()
            && !is_same(other)
            && !of_the_file.any(is_same)
        {
            decline.reason.clone_from(&other.reason);
        }
    }
}
