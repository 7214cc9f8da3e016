//! The guard against the corpus `DOCKEROPT_CORPUS`: it withholds none of our own fixes, and stops nearly all of those
//! that were damaged on purpose. Skipped where no corpus is named.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use dockeropt::context::{BuildContext, MemoryContext, NoContext};
use dockeropt::guard::check;
use dockeropt::rule::Effect;
use dockeropt::syntax::{Dockerfile, Instruction, Keyword, shell};
use dockeropt::text::{LineIndex, Span};
use rayon::prelude::*;

use crate::corpus::corpus;
use crate::run::{all_rules, chain_of_rules, default_chain, run};

/// How many damaged fixes are looked at.
const FIXES: usize = 2000;

/// How many of a thousand the guard may let through.
const PER_MILLE: usize = 10;

#[test]
fn guard_withholds_nothing_of_ours() {
    let Some(files) = corpus() else { return };
    let every = std::env::var("DOCKEROPT_CORPUS_EVERY").ok();
    let every: usize = every.map_or(1, |every| every.parse().unwrap());
    let files: Vec<PathBuf> = files.into_iter().step_by(every).collect();
    let chain = default_chain();
    let project = project();
    let contexts: [&(dyn BuildContext + Sync); 2] = [&NoContext, &project];
    let withheld = files.par_iter().flat_map_iter(|path| {
        let text = fs::read(path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let reports = contexts.map(|context| run(&chain, context, &text));
        let lines = reports.iter().flat_map(|report| {
            let lines = LineIndex::new(&report.source.text);
            let withheld = report.withheld.iter();
            let name = &name;
            withheld.map(move |one| {
                let line = lines.line(one.span.start);
                format!("{name}:{line} {} {}", one.rule, one.reason)
            })
        });
        lines.collect::<Vec<_>>()
    });
    let withheld: Vec<String> = withheld.collect();
    for line in &withheld {
        println!("withheld {line}");
    }
    println!("{} withheld in {} files", withheld.len(), files.len());
    assert!(withheld.is_empty());
}

/// A text that a rule made of another one.
struct Fixed {
    path: PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
    effects: Vec<Effect>,
}

#[test]
fn guard_stops_damaged_fixes() {
    let Some(files) = corpus() else { return };
    let mut fixes = fixes(&files);
    // A COPY that takes the modes of several RUNs takes one a round, and each round was checked by itself: all of them at
    // once are more than the guard follows.
    fixes.retain(|fix| !fix.effects.contains(&Effect::CopyMode));
    let start = Instant::now();
    for fix in &fixes {
        let verdict = check(&fix.before, &fix.after, &fix.effects);
        assert_eq!(verdict, Ok(()), "{}", fix.path.display());
    }
    let rate = fixes.len() as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0} fixes a second are let through as they are");
    let damaged = fixes.par_iter().enumerate().filter_map(|(seed, fix)| {
        let (kind, after) = damage(&fix.after, seed)?;
        let is_damage = squeezed(&after) != squeezed(&fix.before) && after != fix.after;
        is_damage.then(|| {
            (
                kind,
                check(&fix.before, &after, &fix.effects).is_err(),
                fix,
                after,
            )
        })
    });
    let damaged: Vec<_> = damaged.collect();
    let mut kinds: BTreeMap<Damage, (usize, usize)> = BTreeMap::new();
    for (kind, stopped, fix, after) in &damaged {
        let count = kinds.entry(*kind).or_default();
        count.0 += 1;
        if !stopped {
            count.1 += 1;
            println!(
                "let through: {kind:?} in {}\n{}",
                fix.path.display(),
                changed_lines(&fix.after, after)
            );
        }
    }
    for (kind, (all, through)) in &kinds {
        println!("{kind:?}: {through} of {all} let through");
    }
    let through: usize = kinds.values().map(|(_, through)| through).sum();
    println!("{through} of {} damaged fixes let through", damaged.len());
    assert_eq!(
        kinds.len(),
        Damage::ALL.len(),
        "every kind of damage is tried"
    );
    assert!(through * 1000 <= damaged.len() * PER_MILLE);
}

/// Fixes of each rule by turns, from files spread over the corpus, until there are enough that can be damaged.
fn fixes(files: &[PathBuf]) -> Vec<Fixed> {
    let rules = all_rules();
    let project = project();
    let chains: Vec<_> = rules
        .iter()
        .map(|rule| chain_of_rules(&[&rule.id]))
        .collect();
    let fixed = |(index, path): (usize, &PathBuf)| {
        let which = index % rules.len();
        let before = fs::read(path).unwrap();
        let after = run(&chains[which], &project, &before).output;
        let effects = rules[which].effects.clone();
        (after != before).then(|| Fixed {
            path: path.clone(),
            before,
            after,
            effects,
        })
    };
    // A step that is prime to the number of rules spreads each rule over all files.
    let spread: Vec<PathBuf> = (0..files.len())
        .map(|index| files[index * 7919 % files.len()].clone())
        .collect();
    let found: Vec<Fixed> = spread.par_iter().enumerate().filter_map(fixed).collect();
    found.into_iter().take(FIXES + FIXES / 4).collect()
}

/// A context that holds a project of each kind, so that rules fire that look at one.
fn project() -> MemoryContext {
    MemoryContext::from([
        ("requirements.txt", "flask==3.0\n"),
        (
            "package.json",
            "{\"name\": \"a\", \"version\": \"1.0.0\", \"dependencies\": {\"express\": \"4.19.2\"}}",
        ),
        ("package-lock.json", "{\"lockfileVersion\": 3}"),
        ("Gemfile.lock", "GEM\n"),
        ("composer.lock", "{}"),
        ("yarn.lock", "# yarn lockfile v1\n"),
        (
            "go.mod",
            "module example.com/a\n\ngo 1.22\n\nrequire example.com/b v1.0.0\n",
        ),
        ("go.sum", ""),
        (
            "pom.xml",
            "<project><groupId>a</groupId><artifactId>a</artifactId><version>1</version></project>",
        ),
        ("build.gradle", "plugins { id 'java' }\n"),
        ("settings.gradle", "rootProject.name = 'a'\n"),
        (
            "composer.json",
            "{\"require\": {\"monolog/monolog\": \"^3.0\"}}",
        ),
        ("Gemfile", "source 'https://rubygems.org'\ngem 'rack'\n"),
        (
            "app.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk\"></Project>",
        ),
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\n",
        ),
        ("Cargo.lock", "version = 3\n"),
        ("src/main.rs", "fn main() {}\n"),
        ("main.go", "package main\n\nfunc main() {}\n"),
        ("app.py", "print()\n"),
    ])
}

/// The twelve ways to damage a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Damage {
    DropWord,
    ChangeWord,
    DropFlag,
    SwapCommands,
    DropCommand,
    AndToThen,
    MoveStep,
    DeleteStep,
    DoubleStep,
    ChangeDestination,
    DropInstructionFlag,
    ChangeValue,
}

impl Damage {
    const ALL: [Self; 12] = [
        Self::DropWord,
        Self::ChangeWord,
        Self::DropFlag,
        Self::SwapCommands,
        Self::DropCommand,
        Self::AndToThen,
        Self::MoveStep,
        Self::DeleteStep,
        Self::DoubleStep,
        Self::ChangeDestination,
        Self::DropInstructionFlag,
        Self::ChangeValue,
    ];
}

/// The text damaged in the way that `seed` says, or in the next one that it has a place for.
fn damage(text: &[u8], seed: usize) -> Option<(Damage, Vec<u8>)> {
    let file = Dockerfile::parse(text);
    let scene = Scene::of(&file, text);
    let kinds = (0..Damage::ALL.len()).map(|shift| Damage::ALL[(seed + shift) % Damage::ALL.len()]);
    kinds
        .filter_map(|kind| Some((kind, scene.damaged(kind, seed / Damage::ALL.len())?)))
        .find(|(_, after)| Dockerfile::parse(after).is_accepted())
}

/// What there is to damage.
struct Scene<'a> {
    text: &'a [u8],
    instructions: Vec<&'a Instruction>,
    scripts: Vec<shell::Script>,
}

impl<'a> Scene<'a> {
    fn of(file: &'a Dockerfile, text: &'a [u8]) -> Self {
        let instructions: Vec<&Instruction> = file.instructions().collect();
        let runs = instructions
            .iter()
            .filter(|one| one.keyword == Keyword::Run);
        let scripts = runs.filter_map(|run| shell::parse(&shell::text_of(run, text)?));
        let scripts = scripts.collect();
        Self {
            text,
            instructions,
            scripts,
        }
    }

    fn damaged(&self, kind: Damage, seed: usize) -> Option<Vec<u8>> {
        let pick = |spans: Vec<Span>| (!spans.is_empty()).then(|| spans[seed % spans.len()]);
        match kind {
            Damage::DropWord => {
                self.replaced(pick(self.words(|word| !word.starts_with('-')))?, b"")
            }
            Damage::ChangeWord => {
                self.replaced(pick(self.words(|word| !word.starts_with('-')))?, b"damage")
            }
            Damage::DropFlag => self.replaced(pick(self.words(|word| word.starts_with('-')))?, b""),
            Damage::SwapCommands => {
                let pairs: Vec<(Span, Span)> = self.pairs();
                let (one, other) = *pairs.get(seed % pairs.len().max(1))?;
                let between = Span::new(one.end, other.start);
                let swapped = [
                    other.of(self.text),
                    between.of(self.text),
                    one.of(self.text),
                ]
                .concat();
                self.replaced(one.cover(other), &swapped)
            }
            Damage::DropCommand => {
                let pairs = self.pairs();
                let (one, other) = *pairs.get(seed % pairs.len().max(1))?;
                self.replaced(Span::new(one.start, other.start), b"")
            }
            Damage::AndToThen => {
                let all = self.scripts.iter().flat_map(|script| &script.statements);
                let ands = all.filter_map(|one| {
                    one.operator
                        .filter(|(operator, _)| *operator == shell::Operator::And)
                });
                self.replaced(pick(ands.map(|(_, span)| span).collect())?, b";")
            }
            Damage::MoveStep => {
                use Keyword as K;
                let pairs = self.instructions.windows(2).filter(|pair| {
                    let sets = |one: &Instruction| {
                        matches!(
                            one.keyword,
                            K::Workdir | K::User | K::Env | K::Arg | K::Shell
                        )
                    };
                    let reads =
                        |one: &Instruction| matches!(one.keyword, K::Run | K::Copy | K::Add);
                    sets(pair[0]) && reads(pair[1]) || reads(pair[0]) && sets(pair[1])
                });
                let pairs: Vec<_> = pairs.map(|pair| (pair[0].span, pair[1].span)).collect();
                let (one, other) = *pairs.get(seed % pairs.len().max(1))?;
                let (first, second) = (one.of(self.text), other.of(self.text));
                let whole = second.ends_with(b"\n").then(|| [second, first].concat())?;
                self.replaced(one.cover(other), &whole)
            }
            Damage::DeleteStep => {
                self.replaced(pick(self.spans(|one| one.keyword != Keyword::From))?, b"")
            }
            Damage::DoubleStep => {
                let span = pick(self.spans(|one| one.keyword == Keyword::Run))?;
                let line = span.of(self.text);
                line.ends_with(b"\n")
                    .then(|| self.replaced(span, &[line, line].concat()))?
            }
            Damage::ChangeDestination => {
                let copies = self
                    .instructions
                    .iter()
                    .filter(|one| matches!(one.keyword, Keyword::Copy | Keyword::Add));
                let last = copies.filter_map(|one| one.words().last());
                self.replaced(pick(last.map(|word| word.span).collect())?, b"/damage/")
            }
            Damage::DropInstructionFlag => {
                let flags = self.instructions.iter().flat_map(|one| &one.flags);
                self.replaced(pick(flags.map(|flag| flag.span).collect())?, b"")
            }
            Damage::ChangeValue => {
                let pairs = self.instructions.iter().flat_map(|one| one.pairs());
                self.replaced(
                    pick(pairs.map(|pair| pair.value.span).collect())?,
                    b"damage",
                )
            }
        }
    }

    fn spans(&self, wanted: impl Fn(&Instruction) -> bool) -> Vec<Span> {
        let all = self.instructions.iter().filter(|one| wanted(one));
        all.map(|one| one.span).collect()
    }

    fn words(&self, wanted: impl Fn(&str) -> bool) -> Vec<Span> {
        let commands = self.scripts.iter().flat_map(shell::Script::commands);
        let words = commands.flat_map(|at| at.command.words.iter().skip(1));
        words
            .filter(|word| wanted(&word.text))
            .map(|word| word.span)
            .collect()
    }

    /// Neighbours of a top-level list that are joined by `&&` and differ.
    fn pairs(&self) -> Vec<(Span, Span)> {
        let lists = self
            .scripts
            .iter()
            .flat_map(|script| script.statements.windows(2));
        let joined = lists.filter(|pair| {
            let is_and = matches!(pair[0].operator, Some((shell::Operator::And, _)));
            is_and && pair[0].span.of(self.text) != pair[1].span.of(self.text)
        });
        joined.map(|pair| (pair[0].span, pair[1].span)).collect()
    }

    fn replaced(&self, span: Span, with: &[u8]) -> Option<Vec<u8>> {
        let Range { start, end } = span.start as usize..span.end as usize;
        let after = [self.text.get(..start)?, with, self.text.get(end..)?].concat();
        (after != self.text).then_some(after)
    }
}

/// The text without blanks, line ends and backslashes.
fn squeezed(text: &[u8]) -> Vec<u8> {
    let kept = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace() && **byte != b'\\');
    kept.copied().collect()
}

/// The lines around the first difference, from both texts.
fn changed_lines(one: &[u8], other: &[u8]) -> String {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let around = |text: &[u8]| {
        let part = text.get(same.saturating_sub(60)..(same + 90).min(text.len()));
        String::from_utf8_lossy(part.unwrap_or_default()).replace('\n', "⏎")
    };
    format!("    {}\n    {}", around(one), around(other))
}
