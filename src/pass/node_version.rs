//! Which Node, and with it which npm, a step finds: by the tag of the base image, or what installed it. Never a guess.

use super::project_place::Place;
use super::runs::Step;
use crate::model::managers::{Kind, Role, invocation};
use crate::syntax::shell::Script;

/// Tags of the image `node` without a number that stand for a release with npm 7 or newer.
const NEW_TAGS: [&str; 9] = [
    "latest", "lts", "current", "gallium", "hydrogen", "iron", "jod", "krypton", "slim",
];

/// Words of a tag that say nothing of the release.
const OTHER_WORDS: [&str; 5] = ["alpine", "bookworm", "trixie", "slim", "bullseye"];

/// What is known of Node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// This major version.
    Major(u32),
    /// One of those of today, by a tag that moves.
    New,
    /// The package of a distribution, which may be old.
    Packaged,
    /// Nothing.
    Unknown,
}

/// The Node of a step.
pub fn node(place: &Place<'_>) -> Node {
    let steps = place.before().into_iter().chain([*place]);
    for step in steps.filter(|one| one.step().is_run()) {
        let text = String::from_utf8_lossy(step.step().instruction.args_text()).into_owned();
        if let Some(major) = nodesource(&text) {
            return Node::Major(major);
        }
        if is_packaged(step.step()) {
            return Node::Packaged;
        }
    }
    let base = place.step().before.base();
    if !base.is_family("node") {
        return Node::Unknown;
    }
    if let Some(version) = &base.version {
        return major(version).map_or(Node::Unknown, Node::Major);
    }
    let known = |word: &String| {
        NEW_TAGS.contains(&word.as_str()) || OTHER_WORDS.iter().any(|other| word.starts_with(other))
    };
    match !base.words.is_empty() && base.words.iter().all(known) {
        true => Node::New,
        false => Node::Unknown,
    }
}

/// Whether npm is 7 or newer, by the Node that brings it or an install of its own.
pub fn has_npm_7(place: &Place<'_>) -> Option<bool> {
    let steps = place.before().into_iter().chain([*place]);
    let runs = steps.filter(|one| one.step().is_run());
    for step in runs {
        let text = String::from_utf8_lossy(step.step().instruction.args_text()).into_owned();
        let words = text.split(|ch: char| ch.is_whitespace() || "'\"".contains(ch));
        if let Some(version) = words.into_iter().find_map(|word| word.strip_prefix("npm@")) {
            return match version {
                "latest" | "next" | "lts" => Some(true),
                _ => major(version.trim_start_matches(['^', '~'])).map(|major| major >= 7),
            };
        }
    }
    match node(place) {
        Node::Major(major) => Some(major >= 15),
        Node::New => Some(true),
        Node::Packaged | Node::Unknown => None,
    }
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// The version of `https://deb.nodesource.com/setup_18.x`.
fn nodesource(text: &str) -> Option<u32> {
    let (_, behind) = text.split_once("nodesource.com/setup_")?;
    major(behind)
}

/// Whether a step installs the Node of the distribution.
fn is_packaged(step: &Step<'_>) -> bool {
    const PACKAGES: [&str; 3] = ["nodejs", "nodejs-current", "npm"];
    let commands = step.script().map(Script::commands).unwrap_or_default();
    commands.iter().any(|at| {
        let words = &at.command.words;
        let Some(install) = invocation(words).filter(|one| one.manager.kind == Kind::System) else {
            return false;
        };
        let mut packages = install
            .packages
            .iter()
            .filter_map(|index| words.get(*index));
        install.role == Role::Install && packages.any(|word| PACKAGES.contains(&&*word.text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::NoContext;
    use crate::context::site::Site;
    use crate::model::{Model, ModelInput};
    use crate::pass::PassContext;
    use crate::pass::runs::stages;
    use crate::syntax::Dockerfile;

    /// What is known at the last step of `text`, and whether its npm is 7 or newer.
    fn at_the_end(text: &str) -> (Node, Option<bool>) {
        let (file, input) = (Dockerfile::parse(text.as_bytes()), ModelInput::default());
        let model = Model::of(&file, text.as_bytes(), &input);
        let stages = stages(&model);
        let cx = PassContext {
            rule: &crate::rule::builtin()[0],
            text: text.as_bytes(),
            file: &file,
            model: &model,
            stages: &stages,
            context: &NoContext,
            site: &Site::default(),
        };
        let place = Place {
            cx: &cx,
            stage: stages.len() - 1,
            step: stages[stages.len() - 1].steps.len() - 1,
        };
        (node(&place), has_npm_7(&place))
    }

    #[test]
    fn tags_and_installs_tell() {
        for (text, expected) in [
            (
                "FROM node:14-alpine\nRUN x\n",
                (Node::Major(14), Some(false)),
            ),
            ("FROM node:20.1\nRUN x\n", (Node::Major(20), Some(true))),
            ("FROM node\nRUN x\n", (Node::New, Some(true))),
            ("FROM node:lts-alpine\nRUN x\n", (Node::New, Some(true))),
            ("FROM node:lts-iron\nRUN x\n", (Node::New, Some(true))),
            ("FROM node:boron\nRUN x\n", (Node::Unknown, None)),
            ("FROM node:$V\nRUN x\n", (Node::Unknown, None)),
            (
                "FROM debian:12\nRUN apt-get install -y npm && npm i\n",
                (Node::Packaged, None),
            ),
            (
                "FROM debian\nRUN curl https://deb.nodesource.com/setup_18.x | sh\nRUN x\n",
                (Node::Major(18), Some(true)),
            ),
            (
                "FROM node:12\nRUN npm i -g npm@8.1\nRUN x\n",
                (Node::Major(12), Some(true)),
            ),
            (
                "FROM node:16 AS a\nRUN npm i -g npm@6\nFROM a\nRUN x\n",
                (Node::Major(16), Some(false)),
            ),
        ] {
            assert_eq!(at_the_end(text), expected, "{text}");
        }
    }
}
