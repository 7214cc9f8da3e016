//! A secret that is given as an argument or a variable: it stays in the image, or in its history.
//!
//! Shows how RUNs would get it instead: from a mount that leaves nothing behind.

use serde::Deserialize;

use crate::pass::runs::{Stage, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::report::Fix;
use crate::syntax::{Args, Instruction, Keyword};
use crate::text::Edit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretInArg {
    /// Parts of a name, between underscores, that speak of a secret: those of BuildKit's check.
    secret: Vec<String>,
    /// Parts that say that it is none.
    public: Vec<String>,
}

impl Pass for SecretInArg {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            for (at, step) in stage.steps.iter().enumerate() {
                let instruction = step.instruction;
                let Some(name) = self.name(instruction) else {
                    continue;
                };
                let fix = mounted(cx, stage, at, name);
                let message = match instruction.keyword {
                    Keyword::Arg => {
                        format!("the value of `{name}` stays in the history of the image")
                    }
                    _ => format!("the value of `{name}` stays in the image"),
                };
                out.report(shown_span(instruction), message, fix);
            }
        }
    }
}

impl SecretInArg {
    /// The first secret that an ARG or ENV names. An empty value tells nothing.
    fn name<'i>(&self, instruction: &'i Instruction) -> Option<&'i str> {
        let mut names: Box<dyn Iterator<Item = &str>> = match instruction.keyword {
            Keyword::Arg => Box::new(instruction.words().iter().map(|word| key(&word.text))),
            Keyword::Env => Box::new(
                instruction
                    .pairs()
                    .iter()
                    .filter(|pair| !matches!(pair.value.text.as_str(), "" | "\"\"" | "''"))
                    .map(|pair| pair.key.text.as_str()),
            ),
            _ => return None,
        };
        names.find(|name| self.is_secret(name))
    }

    fn is_secret(&self, name: &str) -> bool {
        let has = |list: &[String]| {
            let lower = name.to_ascii_lowercase();
            lower
                .split('_')
                .any(|part| list.iter().any(|one| one == part))
        };
        has(&self.secret) && !has(&self.public)
    }
}

fn key(word: &str) -> &str {
    word.split('=').next().unwrap_or(word)
}

/// The RUNs that name an ARG get it from a mount. `None` where something else names it, or it has a value.
fn mounted(cx: &PassContext<'_>, stage: &Stage<'_>, at: usize, name: &str) -> Option<Fix> {
    let arg = stage.steps[at].instruction;
    let is_alone = arg.keyword == Keyword::Arg && arg.words().len() == 1;
    if !is_alone || arg.words()[0].text.contains('=') {
        return None;
    }
    let mut edits = vec![Edit::delete(arg.span)];
    for step in &stage.steps[at + 1..] {
        let run = step.instruction;
        if !cx.shown(run.span).contains(name) {
            continue;
        }
        if !step.is_run() || !matches!(run.args, Args::Shell) {
            return None;
        }
        let mount = format!(" --mount=type=secret,id={name},env={name}");
        edits.push(Edit::insert(run.keyword_span.end, mount));
    }
    // Where no RUN names it, a program that one starts may read it.
    (edits.len() > 1).then(|| {
        cx.fix(
            format!("mount it, with `docker build --secret id={name}`"),
            edits,
        )
    })?
}
