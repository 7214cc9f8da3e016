//! How often the steps of a Dockerfile would have run again over a history, and which step before a rewrite is which one
//! after it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::super::cache::on_one_line;
use crate::context::BuildContext;
use crate::context::ignore::Ignore;
use crate::model::cache::{ChangedFiles, Fate, Place, Taken, Touch};
use crate::model::{Model, ModelInput, Step};
use crate::pass::touched::Touched;
use crate::syntax::{Dockerfile, Keyword};

/// A step that takes time: RUN, COPY or ADD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expensive {
    pub(super) place: Place,
    pub(super) line: u32,
    /// On one line.
    pub(super) text: String,
    pub(super) rebuilt: Rebuilt,
}

/// After how many commits a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Rebuilt {
    /// It runs.
    pub(super) certainly: usize,
    /// It runs if what it takes comes out different.
    pub(super) perhaps: usize,
}

/// A step before and after a rewrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// `None` for a step that is new.
    pub(super) before: Option<Expensive>,
    /// `None` for a step that is gone, or part of another one.
    pub(super) after: Option<Expensive>,
}

/// What a Dockerfile is built from.
pub(super) struct Build<'a> {
    pub(super) context: &'a dyn BuildContext,
    pub(super) ignore: &'a Ignore,
    pub(super) input: &'a ModelInput,
}

/// The expensive steps of `text`, built after each of `commits`, which are files that changed. `step` is called after
/// each commit.
pub(super) fn replay(
    text: &[u8],
    build: &Build<'_>,
    commits: &[Vec<String>],
    step: &mut dyn FnMut(),
) -> Vec<Expensive> {
    let file = Dockerfile::parse(text);
    let model = Model::of(&file, text, build.input);
    let known = Known {
        build,
        touches: RefCell::default(),
    };
    let mut counts: BTreeMap<Place, Rebuilt> = BTreeMap::new();
    for files in commits {
        let forecast = model.after_change(&Commit {
            files,
            known: &known,
        });
        for (place, fate) in forecast.steps {
            let rebuilt = counts.entry(place).or_default();
            match fate {
                Fate::Cached => {}
                Fate::MayRun(_) => rebuilt.perhaps += 1,
                Fate::Runs(_) => rebuilt.certainly += 1,
            }
        }
        step();
    }
    let expensive = counts.into_iter().filter_map(|(place, rebuilt)| {
        let step = model.step_at(place)?;
        is_expensive(step).then(|| Expensive {
            place,
            line: step.instruction.lines.0,
            text: on_one_line(step),
            rebuilt,
        })
    });
    expensive.collect()
}

fn is_expensive(step: &Step<'_>) -> bool {
    let keyword = step.instruction.keyword;
    matches!(keyword, Keyword::Run | Keyword::Copy | Keyword::Add)
}

/// What is known of the files of a history. The same file changes again and again.
struct Known<'a> {
    build: &'a Build<'a>,
    /// By what a step takes, then by file.
    touches: RefCell<HashMap<Vec<String>, HashMap<String, Touch>>>,
}

struct Commit<'a> {
    files: &'a [String],
    known: &'a Known<'a>,
}

impl ChangedFiles for Commit<'_> {
    fn touch(&self, taken: &Taken, step: &Step<'_>) -> Touch {
        let Build {
            context, ignore, ..
        } = self.known.build;
        let mut key = taken.sources.clone();
        key.push(taken.exact.to_string());
        let mut touches = self.known.touches.borrow_mut();
        let touches = touches.entry(key).or_default();
        for file in self.files {
            if !touches.contains_key(file) {
                let one = Touched::new(*context, ignore, vec![file.clone()]);
                touches.insert(file.clone(), one.touch(taken, step));
            }
            match touches.get(file) {
                Some(Touch::No) | None => {}
                Some(touch) => return touch.clone(),
            }
        }
        Touch::No
    }
}

/// Two steps with fewer words in common, of 100, are different ones.
const ALIKE: usize = 60;

/// Which step is which: those with most words in common. In the order of `after`; what is gone comes last.
pub(super) fn pairs(before: Vec<Expensive>, after: Vec<Expensive>) -> Vec<Pair> {
    let mut candidates = Vec::new();
    for (left, one) in before.iter().enumerate() {
        for (right, other) in after.iter().enumerate() {
            let alike = alike(&one.text, &other.text);
            let apart = one.place.stage.abs_diff(other.place.stage);
            if alike >= ALIKE {
                candidates.push((std::cmp::Reverse(alike), apart, left, right));
            }
        }
    }
    candidates.sort_unstable();
    let mut partner: Vec<Option<usize>> = vec![None; after.len()];
    let mut before: Vec<Option<Expensive>> = before.into_iter().map(Some).collect();
    let mut taken = vec![false; before.len()];
    for (_, _, left, right) in candidates {
        if !taken[left] && partner[right].is_none() {
            taken[left] = true;
            partner[right] = Some(left);
        }
    }
    let mut pairs = Vec::new();
    for (after, left) in after.into_iter().zip(partner) {
        pairs.push(Pair {
            before: left.and_then(|left| before[left].take()),
            after: Some(after),
        });
    }
    let gone = before.into_iter().flatten().map(|one| Pair {
        before: Some(one),
        after: None,
    });
    pairs.extend(gone);
    pairs
}

/// How many of 100 words two steps have in common; none where one copies and the other runs.
fn alike(one: &str, other: &str) -> usize {
    let is_run = |text: &str| {
        text.get(..3)
            .is_some_and(|word| word.eq_ignore_ascii_case("run"))
    };
    if is_run(one) != is_run(other) {
        return 0;
    }
    let mut words: HashMap<&str, usize> = HashMap::new();
    for word in one.split(' ').skip(1) {
        *words.entry(word).or_default() += 1;
    }
    let all = one.split(' ').count() + other.split(' ').count() - 2;
    let mut common = 0;
    for word in other.split(' ').skip(1) {
        if let Some(left) = words.get_mut(word).filter(|left| **left > 0) {
            *left -= 1;
            common += 2;
        }
    }
    common * 100 / all.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::MemoryContext;
    use crate::context::past::Past;

    const TEXT: &str = "FROM a AS deps\nCOPY lock /\nRUN install\nFROM a\nWORKDIR /x\nCOPY --from=deps /y /y\nCOPY . .\nRUN build\n";

    fn counts(text: &str, commits: &[&[&str]]) -> Vec<(u32, usize, usize)> {
        let today = MemoryContext::from([("lock", ""), ("src/a", "")]);
        let ignore = Ignore::parse(b"docs\n").unwrap_or_default();
        let owned = |files: &&[&str]| files.iter().map(|file| (*file).to_owned()).collect();
        let commits: Vec<Vec<String>> = commits.iter().map(owned).collect();
        let build = Build {
            context: &Past::new(&today, commits.iter().flatten()),
            ignore: &ignore,
            input: &ModelInput::default(),
        };
        let mut steps = 0;
        let found = replay(text.as_bytes(), &build, &commits, &mut || steps += 1);
        assert_eq!(steps, commits.len());
        let rows = found.iter().map(|one| {
            let Rebuilt { certainly, perhaps } = one.rebuilt;
            (one.line, certainly, perhaps)
        });
        rows.collect()
    }

    #[test]
    fn commits_run_steps() {
        let commits: [&[&str]; 5] = [
            &["lock"],
            &["src/a", "src/gone"],
            &["src/gone"],
            &["docs/a"],
            &[],
        ];
        let expected = [(2, 1, 0), (3, 1, 0), (6, 0, 1), (7, 3, 0), (8, 3, 0)];
        assert_eq!(counts(TEXT, &commits), expected);
    }

    #[test]
    fn an_unknown_source_runs_perhaps() {
        let commits: [&[&str]; 2] = [&["src/a"], &[]];
        assert_eq!(
            counts("FROM a\nCOPY $X /\nRUN b\n", &commits),
            [(2, 0, 1), (3, 0, 1)]
        );
    }

    fn steps(texts: &[&str]) -> Vec<Expensive> {
        let step = |(line, text): (usize, &&str)| Expensive {
            place: Place {
                stage: 0,
                position: line,
            },
            line: line as u32 + 1,
            text: (*text).to_owned(),
            rebuilt: Rebuilt::default(),
        };
        texts.iter().enumerate().map(step).collect()
    }

    /// Lines before and after, 0 for none.
    fn paired(before: &[&str], after: &[&str]) -> Vec<(u32, u32)> {
        let line = |step: Option<Expensive>| step.map_or(0, |step| step.line);
        let pairs = pairs(steps(before), steps(after)).into_iter();
        pairs
            .map(|pair| (line(pair.before), line(pair.after)))
            .collect()
    }

    #[test]
    fn steps_are_found_again() {
        let before = ["ADD . .", "RUN pip install -r r.txt", "RUN make all"];
        let after = [
            "COPY r.txt ./",
            "RUN pip install --no-cache-dir -r r.txt",
            "COPY . .",
            "RUN make all",
        ];
        assert_eq!(paired(&before, &after), [(0, 1), (2, 2), (1, 3), (3, 4)]);
        let joined = ["RUN a b c d", "RUN e"];
        assert_eq!(paired(&joined, &["RUN a b c d && e"]), [(1, 1), (2, 0)]);
        let same = ["COPY . .", "COPY . ."];
        assert_eq!(paired(&same, &same), [(1, 1), (2, 2)]);
        assert_eq!(paired(&["RUN . ."], &["COPY . ."]), [(0, 1), (1, 0)]);
    }
}
