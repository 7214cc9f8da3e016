//! An image whose program runs as root.
//!
//! Shows the steps that would make it another user. Which files the program writes, and which ports it opens, nobody
//! can see in the file.

use serde::Deserialize;

use crate::model::Base;
use crate::model::state::State;
use crate::pass::runs::{Stage, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::Keyword;
use crate::text::Edit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct NonrootUser {
    /// Programs that start as root and go on as somebody else.
    drop_privileges: Vec<String>,
}

impl Pass for NonrootUser {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let last = cx.stages.last().filter(|stage| stage.ships);
        let Some(stage) = last.filter(|stage| stage.model.end.is_root() == Some(true)) else {
            return;
        };
        let starts = |keyword| matches!(keyword, Keyword::Cmd | Keyword::Entrypoint);
        let first = stage
            .steps
            .iter()
            .find(|step| starts(step.instruction.keyword));
        // An image without a command is a base for others.
        let Some(first) = first else {
            return;
        };
        let span = shown_span(first.instruction);
        let text = String::from_utf8_lossy(cx.text);
        let mut drops = self.drop_privileges.iter();
        if let Some(found) = drops.find(|name| text.contains(name.as_str())) {
            return out.decline(
                span,
                format!("`{found}` may run the program as another user"),
            );
        }
        if stage
            .steps
            .iter()
            .any(|step| low_port(&cx.shown(step.instruction.span)))
        {
            return out.decline(
                span,
                "the program listens on a port that not every host opens to others than root",
            );
        }
        let fix = lines(stage).and_then(|lines| {
            let line_end = line_end(cx.text);
            let lines = lines
                .iter()
                .map(|line| format!("{line}{line_end}"))
                .collect::<String>();
            let edit = Edit::insert(first.instruction.span.start, lines);
            cx.fix("run as a user without rights", vec![edit])
        });
        out.report(span, "the program runs as root", fix);
    }
}

/// Whether a text is `EXPOSE` of a port below 1024.
fn low_port(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_expose = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("expose"));
    let number = |word: &str| {
        word.split('/')
            .next()
            .and_then(|port| port.parse::<u32>().ok())
    };
    is_expose && words.filter_map(number).any(|port| port < 1024)
}

fn line_end(text: &[u8]) -> &'static str {
    let line = text.iter().position(|byte| *byte == b'\n');
    match line.is_some_and(|at| at > 0 && text[at - 1] == b'\r') {
        true => "\r\n",
        false => "\n",
    }
}

/// The steps that make the user, give it the working directory, and switch to it; `None` where the distribution is not
/// known.
fn lines(stage: &Stage<'_>) -> Option<Vec<String>> {
    let end = &stage.model.end;
    let owned = |user: &str| {
        let directory = end
            .workdir()
            .filter(|directory| directory.matches('/').count() > 0 && *directory != "/");
        directory.map(|directory| format!("chown {user}:{user} {directory}"))
    };
    if matches!(stage.model.base, Base::Scratch) {
        return Some(vec!["USER 65532:65532".to_owned()]);
    }
    let facts = end.base();
    if facts
        .distribution
        .is_some_and(|one| one.name() == "distroless")
    {
        return Some(vec!["USER nonroot".to_owned()]);
    }
    if facts.is_family("node") {
        let own = owned("node").map(|own| format!("RUN {own}"));
        return Some(own.into_iter().chain(["USER node".to_owned()]).collect());
    }
    let make = make_user(end)?;
    let run = match owned("app") {
        Some(own) => format!("RUN {make} && {own}"),
        None => format!("RUN {make}"),
    };
    Some(vec![run, "USER app".to_owned()])
}

fn make_user(end: &State) -> Option<&'static str> {
    match end.base().package_manager? {
        "apk" => Some("addgroup -S app && adduser -S -G app app"),
        "apt" | "dnf" => {
            Some("groupadd --system app && useradd --system --gid app --create-home app")
        }
        _ => None,
    }
}
