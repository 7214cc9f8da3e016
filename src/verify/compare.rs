//! Two images side by side: what differs, and which differences the effects of the applied rules declare.

use super::declared::Declared;
use super::{Answer, Difference, Side, config};
use crate::rule::Effect;

/// What differs, by what it means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// What no effect declares, first the configuration, then the files by path, then the answer.
    pub unexpected: Vec<Difference>,
    /// What an effect declares, each with that effect.
    pub expected: Vec<(Difference, Effect)>,
    /// How many paths differ as in any two builds of one Dockerfile: logs, compiled bytecode.
    pub noise: usize,
    /// What both answer, where they answer the same.
    pub answer: Option<Answer>,
}

/// Compares two images. `dockerfile` is the rewritten one; `ignored` are the files that the context no longer hands out,
/// as paths in it.
pub fn compare(
    before: &Side,
    after: &Side,
    effects: &[Effect],
    dockerfile: &str,
    ignored: &[String],
) -> Compared {
    let mut compared = Compared::default();
    for difference in config::differences(&before.config, &after.config) {
        let key = match &difference {
            Difference::Config { key, .. } => (*key).to_owned(),
            _ => String::new(),
        };
        match effects.contains(&Effect::Config(key.clone())) {
            true => compared.expected.push((difference, Effect::Config(key))),
            false => compared.unexpected.push(difference),
        }
    }
    let declared = Declared::new(before, after, effects, dockerfile, ignored);
    for difference in before.tree.differences(&after.tree) {
        let Difference::File { path, change } = &difference else {
            continue;
        };
        if let Some(effect) = declared.effect(path, *change) {
            compared.expected.push((difference, effect));
        } else if declared.is_noise(path, *change) {
            compared.noise += 1;
        } else {
            compared.unexpected.push(difference);
        }
    }
    match (&before.answer, &after.answer) {
        (Some(was), Some(is)) if was == is => compared.answer = Some(is.clone()),
        (Some(was), Some(is)) => compared.unexpected.push(Difference::Answer {
            before: was.clone(),
            after: is.clone(),
        }),
        _ => {}
    }
    compared
}

impl Compared {
    /// Whether nothing differs that should not.
    pub fn is_verified(&self) -> bool {
        self.unexpected.is_empty()
    }

    /// Takes for noise what is no difference of the rewrite. `between` compares two builds of the original: what differs
    /// in the same way there differs by itself. `again` compares the second one with the rewritten image: what is the
    /// same there has only changed since the first one was built.
    pub fn settle(&mut self, between: &Self, again: &Self) {
        let before = self.unexpected.len();
        self.unexpected.retain(|one| {
            let by_itself = between.unexpected.iter().any(|other| is_alike(one, other));
            let still = again
                .unexpected
                .iter()
                .any(|other| is_about_same(one, other));
            !by_itself && still
        });
        self.noise += before - self.unexpected.len();
    }
}

/// Whether two differences are of the same kind at the same place.
fn is_alike(one: &Difference, other: &Difference) -> bool {
    match (one, other) {
        (Difference::File { change: one, .. }, Difference::File { change: other, .. })
            if one != other =>
        {
            false
        }
        // A program that answers something else each time still answers.
        (Difference::Answer { before, after }, Difference::Answer { after: again, .. }) => {
            before.status == after.status && before.status == again.status
        }
        _ => is_about_same(one, other),
    }
}

fn is_about_same(one: &Difference, other: &Difference) -> bool {
    match (one, other) {
        (Difference::File { path: one, .. }, Difference::File { path: other, .. }) => one == other,
        (Difference::Config { key: one, .. }, Difference::Config { key: other, .. }) => {
            one == other
        }
        (Difference::Answer { .. }, Difference::Answer { .. }) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, Node, NodeKind, Tree};
    use super::*;

    /// Files by path and content, and an answer.
    fn side(files: &[(&str, u8)], answer: (i32, &str)) -> Side {
        let nodes = files.iter().map(|(path, content)| {
            let node = Node {
                kind: NodeKind::File([*content; 16]),
                mode: 0o644,
                owner: (0, 0),
            };
            (*path, node)
        });
        Side {
            tree: nodes.collect::<Tree>(),
            config: serde_json::Value::Null,
            answer: Some(Answer {
                status: answer.0,
                body: answer.1.as_bytes().to_vec(),
            }),
        }
    }

    /// What is left of the differences between `before` and `after` when `fresh` is a second build of the original.
    fn left(before: &Side, fresh: &Side, after: &Side) -> Vec<String> {
        let compare = |one: &Side, other: &Side| compare(one, other, &[], "", &[]);
        let mut compared = compare(before, after);
        compared.settle(&compare(before, fresh), &compare(fresh, after));
        compared
            .unexpected
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_differs_by_itself_is_noise_and_its_loss_is_not() {
        let before = side(&[("/stamp", 1), ("/a", 1)], (0, "1"));
        let fresh = side(&[("/stamp", 2), ("/a", 1)], (0, "2"));
        let after = side(&[("/stamp", 3), ("/a", 1)], (0, "3"));
        assert_eq!(left(&before, &fresh, &after), [""; 0]);
        let after = side(&[("/a", 2)], (1, "3"));
        assert_eq!(
            left(&before, &fresh, &after),
            [
                "`/a` has another content",
                "`/stamp` is gone",
                "it answers with status 0, then with 1"
            ]
        );
    }

    #[test]
    fn what_changed_since_the_original_was_built_is_noise() {
        let before = side(&[("/package", 1)], (0, ""));
        let fresh = side(&[("/package", 2), ("/new", 1)], (0, ""));
        assert_eq!(left(&before, &fresh, &fresh), [""; 0]);
        let after = side(&[("/package", 2)], (0, ""));
        assert_eq!(left(&before, &fresh, &after), [""; 0]);
    }
}
