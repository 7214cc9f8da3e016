//! Which step of the build made which layer, and on which lines of a Dockerfile it stands.
//!
//! The history of an image lists its steps; those that only set something are marked as having made no layer. Where it
//! does not fit the layers, or a Dockerfile does not fit it, nothing is said of either.

use serde::{Deserialize, Serialize};

/// A step of the build that an image records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the builder wrote down.
    pub created_by: String,
    /// The builder's remark.
    pub comment: String,
    /// When, as the image has it.
    pub created: Option<String>,
    /// The layer that it made, by its index.
    pub layer: Option<usize>,
    /// Where it stands.
    pub lines: Option<Lines>,
}

/// Lines of a Dockerfile, 1-based, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Lines {
    pub first: u32,
    pub last: u32,
}

impl Lines {
    /// Whether the two have a line in common.
    pub(super) fn meets(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// An instruction of a Dockerfile, as far as it can be held against a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// In upper case.
    pub keyword: String,
    /// A command for a shell, on one line; `None` where the history words it otherwise.
    pub script: Option<String>,
    /// Where it stands.
    pub lines: Lines,
}

/// A step as the configuration has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Recorded {
    created: Option<String>,
    created_by: Option<String>,
    comment: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

/// The steps with their layers; with what is to be said where they do not fit.
pub(super) fn steps(history: Vec<Recorded>, layers: usize) -> (Vec<Step>, Option<String>) {
    let made = history.iter().filter(|one| !one.empty_layer).count();
    let mut next = 0..layers;
    let step = |one: Recorded| Step {
        created_by: one.created_by.unwrap_or_default(),
        comment: one.comment.unwrap_or_default(),
        created: one.created,
        layer: match one.empty_layer || made != layers {
            true => None,
            false => next.next(),
        },
        lines: None,
    };
    let steps = history.into_iter().map(step).collect();
    let note = (made != layers).then(|| {
        format!(
            "which step made which layer is not known: the history names {made} steps with a layer, \
             and there are {layers} layers"
        )
    });
    (steps, note)
}

/// Says on which lines of the Dockerfile the last steps stand: `written` are the instructions of the stage that ships, and
/// of the stages that it is built on. Says of no step where it stands unless all of them fit.
///
/// # Errors
/// Why they do not fit.
pub(super) fn place(steps: &mut [Step], written: &[Written]) -> Result<(), String> {
    let (mut placed, mut left) = (Vec::new(), steps.len());
    for one in written.iter().rev() {
        let step = left.checked_sub(1).map(|index| &steps[index]);
        match step {
            Some(step) if fits(step, one) => {
                left -= 1;
                placed.push((left, one.lines));
            }
            // BuildKit records no triggers, the classic builder does.
            _ if one.keyword == "ONBUILD" => {}
            Some(step) => {
                let (line, keyword) = (one.lines.first, &one.keyword);
                let shown = instruction(&step.created_by);
                return Err(format!(
                    "where its line {line} has `{keyword}`, the image records `{shown}`"
                ));
            }
            None => {
                let (count, known) = (written.len(), steps.len());
                return Err(format!(
                    "it has {count} instructions, and the image records {known} steps"
                ));
            }
        }
    }
    for (step, lines) in placed {
        steps[step].lines = Some(lines);
    }
    Ok(())
}

fn fits(step: &Step, written: &Written) -> bool {
    let recorded = instruction(&step.created_by);
    let keyword = recorded.split_whitespace().next().unwrap_or_default();
    if keyword != written.keyword {
        return false;
    }
    let Some(script) = &written.script else {
        return true;
    };
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    dense(&recorded).ends_with(&dense(script))
}

/// What the builder wrote down, as an instruction: without the shell that it was run with, and without the builder's marks.
pub(super) fn instruction(created_by: &str) -> String {
    const SHELL: &str = "/bin/sh -c ";
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if let Some((_, nothing)) = text.split_once("#(nop)")
        && text.starts_with('/')
    {
        return nothing.trim().to_owned();
    }
    let (keyword, rest) = match text.split_once(' ') {
        Some((keyword, rest)) if is_keyword(keyword) => (keyword, rest),
        _ if is_keyword(text) || text.is_empty() => return text.to_owned(),
        // The classic builder writes down nothing but the command.
        _ => ("RUN", text),
    };
    if keyword != "RUN" {
        return format!("{keyword} {rest}");
    }
    let rest = without_arguments(rest.trim_start());
    format!("RUN {}", rest.strip_prefix(SHELL).unwrap_or(rest).trim())
}

/// `|2 A=b C=d e` without the build arguments: `e`. Their values may hold blanks; the shell behind them says where they end.
fn without_arguments(text: &str) -> &str {
    match (text.starts_with('|'), text.find(" /bin/")) {
        (true, Some(at)) => text[at..].trim_start(),
        _ => text,
    }
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    KEYWORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(created_by: &str, empty_layer: bool) -> Recorded {
        Recorded {
            created: None,
            created_by: Some(created_by.to_owned()),
            comment: None,
            empty_layer,
        }
    }

    fn written(keyword: &str, script: Option<&str>, line: u32) -> Written {
        Written {
            keyword: keyword.to_owned(),
            script: script.map(str::to_owned),
            lines: Lines {
                first: line,
                last: line,
            },
        }
    }

    fn history() -> Vec<Recorded> {
        vec![
            recorded("/bin/sh -c #(nop) ADD file:1 in / ", false),
            recorded("ENV A=b", true),
            recorded(
                "RUN |1 A=b c /bin/sh -c apt-get update   && x # buildkit",
                false,
            ),
            recorded("CMD [\"sh\"]", true),
        ]
    }

    #[test]
    fn steps_that_made_no_layer_get_none() {
        let (steps, note) = steps(history(), 2);
        let layers: Vec<_> = steps.iter().map(|step| step.layer).collect();
        assert_eq!(layers, [Some(0), None, Some(1), None]);
        assert_eq!(note, None);
    }

    #[test]
    fn a_history_that_does_not_fit_says_nothing() {
        let (steps, note) = steps(history(), 3);
        assert!(steps.iter().all(|step| step.layer.is_none()));
        assert!(
            note.unwrap()
                .contains("2 steps with a layer, and there are 3")
        );
    }

    #[test]
    fn instructions_are_read_from_what_each_builder_writes() {
        let check = |created_by: &str, expected: &str| {
            assert_eq!(instruction(created_by), expected, "{created_by}");
        };
        check("RUN /bin/sh -c echo a # buildkit", "RUN echo a");
        check("RUN |1 A=b c /bin/sh -c echo a # buildkit", "RUN echo a");
        check("|1 A=b /bin/sh -c echo a", "RUN echo a");
        check("/bin/sh -c echo a", "RUN echo a");
        check("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]");
        check("COPY . /app # buildkit", "COPY . /app");
        check(
            "RUN /bin/bash -o pipefail -c a # buildkit",
            "RUN /bin/bash -o pipefail -c a",
        );
        check("", "");
    }

    #[test]
    fn a_dockerfile_is_held_against_the_last_steps() {
        let (mut steps, _) = steps(history(), 2);
        let run = written("RUN", Some("apt-get update && x"), 3);
        let trigger = written("ONBUILD", None, 1);
        place(&mut steps, &[run.clone(), trigger, written("CMD", None, 4)]).unwrap();
        let lines: Vec<_> = steps
            .iter()
            .map(|step| step.lines.map(|one| one.first))
            .collect();
        assert_eq!(lines, [None, None, Some(3), Some(4)]);

        let other = written("RUN", Some("apt-get update && y"), 3);
        let error = place(&mut steps, &[other, written("CMD", None, 4)]).unwrap_err();
        assert_eq!(
            error,
            "where its line 3 has `RUN`, the image records `RUN apt-get update   && x`"
        );
        let error = place(&mut steps, &vec![written("ENV", None, 1); 5]).unwrap_err();
        assert!(error.starts_with("where its line 1 has `ENV`"), "{error}");
        let (mut steps, _) = super::steps(history()[3..].to_vec(), 0);
        let error = place(&mut steps, &vec![written("CMD", None, 4); 2]).unwrap_err();
        assert_eq!(
            error,
            "it has 2 instructions, and the image records 1 steps"
        );
    }
}
