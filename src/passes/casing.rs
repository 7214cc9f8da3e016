//! Spelling that BuildKit reads in any case, and warns of where a file mixes cases: keywords, `AS`, names of stages.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::mount;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::{Flag, Word};
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Casing {
    word: Kind,
}

/// What the rule is about.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Keyword,
    As,
    StageName,
}

impl Pass for Casing {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        match self.word {
            Kind::Keyword => keywords(cx, out),
            Kind::As => all_as(cx, out),
            Kind::StageName => stage_names(cx, out),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
}

impl Case {
    /// The case of a word; `None` where it mixes them.
    fn of(word: &[u8]) -> Option<Self> {
        let has = |is: fn(&u8) -> bool| word.iter().any(is);
        match (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase)) {
            (true, false) => Some(Self::Lower),
            (false, true) => Some(Self::Upper),
            _ => None,
        }
    }

    fn written(self, word: &[u8]) -> Vec<u8> {
        match self {
            Self::Lower => word.to_ascii_lowercase(),
            Self::Upper => word.to_ascii_uppercase(),
        }
    }
}

/// The case that most keywords have wins, capitals where there is no majority. Triggers are text of the image.
fn keywords(cx: &PassContext<'_>, out: &mut Findings) {
    let cases = cx
        .file
        .instructions()
        .map(|one| Case::of(one.keyword_span.of(cx.text)));
    let (mut lower, mut upper) = (0, 0);
    for case in cases {
        lower += usize::from(case == Some(Case::Lower));
        upper += usize::from(case == Some(Case::Upper));
    }
    let wanted = if lower > upper {
        Case::Lower
    } else {
        Case::Upper
    };
    for one in cx.file.instructions() {
        let word = one.keyword_span.of(cx.text);
        if Case::of(word) == Some(wanted) {
            continue;
        }
        let message = || {
            format!(
                "`{}` is not in the case of the other keywords",
                cx.shown(one.keyword_span)
            )
        };
        say(cx, one.keyword_span, wanted, message, out);
    }
}

fn all_as(cx: &PassContext<'_>, out: &mut Findings) {
    for from in cx.model.stages.iter().map(|stage| stage.from) {
        let [_, word, _] = from.words() else {
            continue;
        };
        let (found, keyword) = (word.span.of(cx.text), from.keyword_span.of(cx.text));
        let wanted = Case::of(keyword);
        if wanted.is_some() && Case::of(found) == wanted {
            continue;
        }
        let Some(wanted) = wanted else {
            let reason = format!("`{}` mixes cases itself", cx.shown(from.keyword_span));
            out.decline(word.span, reason);
            continue;
        };
        let message = || format!("`{}` is not in the case of its FROM", cx.shown(word.span));
        say(cx, word.span, wanted, message, out);
    }
}

fn say(
    cx: &PassContext<'_>,
    span: Span,
    wanted: Case,
    message: impl FnOnce() -> String,
    out: &mut Findings,
) {
    let word = span.of(cx.text);
    if word.contains(&b'\n') {
        return out.decline(span, "the word is written over a line continuation");
    }
    let written = wanted.written(word);
    let title = format!("write `{}`", String::from_utf8_lossy(&written));
    out.report(
        span,
        message(),
        cx.fix(title, vec![Edit::replace(span, written)]),
    );
}

/// The name that FROM gives a stage, and each mention of it.
fn stage_names(cx: &PassContext<'_>, out: &mut Findings) {
    let mut names: BTreeMap<String, Vec<&Word>> = BTreeMap::new();
    for stage in &cx.model.stages {
        if let [_, _, name] = stage.from.words() {
            names
                .entry(name.text.to_lowercase())
                .or_default()
                .push(name);
        }
    }
    for (lower, written) in &names {
        for name in written.iter().filter(|name| name.text != *lower) {
            match written.len() {
                1 => lower_case(cx, name.span, &name.text, out),
                _ => out.decline(name.span, format!("another stage is called `{lower}` too")),
            }
        }
    }
    for flag in cx.file.instructions().flat_map(|one| &one.flags) {
        if let Some((span, name)) = mention(cx, flag)
            && names
                .get(&name.to_lowercase())
                .is_some_and(|written| written.len() == 1)
        {
            lower_case(cx, span, &name, out);
        }
    }
}

fn lower_case(cx: &PassContext<'_>, span: Span, name: &str, out: &mut Findings) {
    let lower = name.to_lowercase();
    if name == lower {
        return;
    }
    if span.of(cx.text) != name.as_bytes() {
        return out.decline(span, "the name is written over a line continuation");
    }
    let fix = cx.fix(format!("write `{lower}`"), vec![Edit::replace(span, lower)]);
    out.report(span, format!("the stage name `{name}` has capitals"), fix);
}

/// What `COPY --from=` or `RUN --mount=from=` names, and where.
fn mention(cx: &PassContext<'_>, flag: &Flag) -> Option<(Span, String)> {
    let value = flag.value.as_deref()?;
    let name = match flag.name.as_str() {
        "from" => value.to_owned(),
        "mount" => mount::from(value)?,
        _ => return None,
    };
    let at = cx.shown(flag.span).find(&format!("from={name}"))? + "from=".len();
    let start = flag.span.start + at as u32;
    Some((Span::new(start, start + name.len() as u32), name))
}
