//! Owners and modes that COPYs give, so that the RUN behind them need not.

use super::copies;
use super::mounts::covers;
use super::script::{Joint, Shell, joint, plain_words};
use super::{Fault, Side};
use crate::model::Step;
use crate::syntax::{Args, Instruction, Keyword};
use crate::text::Span;

/// What becomes of the RUN that gave the owner or mode before.
pub(super) enum Outcome {
    /// It goes as a whole.
    Gone,
    /// It is the step after the patch, without what the COPYs do now.
    Shorter,
}

/// The steps of a stage after the patch, of which step `at` is next and those of `given` give more than before.
pub(super) struct After<'a, 'f> {
    pub(super) side: &'a Side<'f>,
    pub(super) steps: &'a [Step<'f>],
    pub(super) at: usize,
    pub(super) given: &'a [usize],
}

/// Whether the COPYs give what the first command of `run` gave, no more and no less, and what is left of it.
pub(super) fn settle(
    before: &Side<'_>,
    run: &Step<'_>,
    after: &After<'_, '_>,
) -> Result<Outcome, Fault> {
    let at = after
        .given
        .first()
        .and_then(|first| after.steps.get(*first));
    let span = at.map_or(Span::at(0), |step| step.instruction.span);
    let fault = |reason: &str| Fault::new(reason, span);
    let one = run.instruction;
    let is_plain =
        one.flags.is_empty() && one.heredocs.is_empty() && matches!(one.args, Args::Shell);
    let shell = Shell::of(before, run, one).filter(|_| is_plain);
    let shell = shell.ok_or_else(|| fault("a COPY gives an owner or mode that nothing gave"))?;
    let change = Change::of(&shell, run);
    let change = change.ok_or_else(|| fault("a COPY gives an owner or mode that nothing gave"))?;
    if !after
        .given
        .iter()
        .all(|copy| change.is_given_by(after, *copy))
    {
        return Err(fault("a COPY gives another owner or mode than the RUN did"));
    }
    let is_named = |path: &&String| {
        let mut copies = after
            .given
            .iter()
            .filter_map(|copy| Copied::of(after, *copy));
        copies.any(|copy| change.recursive || covers(&copy.place, path))
    };
    if !change.paths.iter().all(|path| is_named(&path)) {
        return Err(fault(
            "the RUN gave an owner or mode to more than the COPYs do",
        ));
    }
    let made = match change.recursive {
        true => change.check_below(after).map_err(|reason| fault(&reason))?,
        false => false,
    };
    let next = after.steps.get(after.at);
    let keeps_folder = next.is_some_and(|next| change.is_left_as_folder(&shell, next, after.side));
    if keeps_folder {
        return Ok(Outcome::Shorter);
    }
    if made && change.name == "chown" {
        return Err(fault("the folder itself loses its owner"));
    }
    match shell.script.statements.as_slice() {
        [_] => Ok(Outcome::Gone),
        [first, rest @ ..] if joint(first) == Joint::And => {
            let start = rest
                .first()
                .map_or(first.span.end, |second| second.span.start);
            // What a comment of the shell says behind the list stays too.
            let rest = Span::new(start, one.args_span.end);
            let left = next.and_then(|next| Shell::of(after.side, next, next.instruction));
            let same =
                left.is_some_and(|left| left.text().trim_ascii() == shell.slice(rest).trim_ascii());
            match same {
                true => Ok(Outcome::Shorter),
                false => Err(fault("more of the RUN changes than its first command")),
            }
        }
        _ => Err(fault("the RUN goes on where its first command fails")),
    }
}

/// What a `chown` or `chmod` does.
struct Change {
    name: &'static str,
    value: String,
    recursive: bool,
    paths: Vec<String>,
    span: Span,
}

impl Change {
    fn of(shell: &Shell, run: &Step<'_>) -> Option<Self> {
        let first = shell
            .script
            .statements
            .first()
            .filter(|first| !first.negated)?;
        let command = first.command()?;
        let bare = command.assignments.is_empty() && command.redirects.is_empty();
        let words = plain_words(command).filter(|_| bare)?;
        let (name, words) = words.split_first()?;
        let name = ["chown", "chmod"].into_iter().find(|one| one == name)?;
        let (flags, words): (Vec<&str>, Vec<&str>) =
            words.iter().partition(|word| word.starts_with('-'));
        let (value, paths) = words.split_first()?;
        let paths: Option<Vec<String>> =
            paths.iter().map(|path| run.before.absolute(path)).collect();
        let known = flags
            .iter()
            .all(|flag| matches!(*flag, "-R" | "--recursive"));
        known.then_some(Self {
            name,
            value: (*value).to_owned(),
            recursive: !flags.is_empty(),
            paths: paths.filter(|paths| !paths.is_empty())?,
            span: command.span,
        })
    }

    /// Whether step `copy` gives the same to nothing but what the command names.
    fn is_given_by(&self, after: &After<'_, '_>, copy: usize) -> bool {
        let Some(copied) = Copied::of(after, copy) else {
            return false;
        };
        let Some(value) = copied.value(self.name) else {
            return false;
        };
        let is_octal = value.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let of_context = !copied.is_from_elsewhere;
        let is_executable = matches!(self.value.as_str(), "+x" | "a+x") && value == "755";
        let same = match self.name {
            "chown" => value == self.value && value.contains(':'),
            _ if self.recursive => value == self.value && value.trim_start_matches('0') == "755",
            _ => is_octal && value == self.value || is_executable && of_context,
        };
        let below = |path: &String| covers(path, &copied.place);
        let named = match self.recursive {
            true => self.paths.iter().any(below),
            false => {
                let mut paths = self.paths.iter();
                let is_named = |place: &String| self.paths.contains(place);
                paths.any(|path| covers(&copied.place, path))
                    && copied
                        .files
                        .iter()
                        .all(|places| places.iter().any(is_named))
            }
        };
        same && named
    }

    /// Whether all that the steps above put below the folder has the owner or mode; if so, whether WORKDIR made it.
    fn check_below(&self, after: &After<'_, '_>) -> Result<bool, String> {
        let [folder] = self.paths.as_slice() else {
            return Err("the RUN names several folders".to_owned());
        };
        let mut made = false;
        let above = after.steps.iter().enumerate().take(after.at);
        for (_, step) in above.filter(|(index, _)| !after.given.contains(index)) {
            let one = step.instruction;
            let place = match one.keyword {
                Keyword::Copy | Keyword::Add => {
                    copies::destination((step, after.side)).map(|place| place.0)
                }
                Keyword::Workdir => one
                    .words()
                    .first()
                    .and_then(|word| step.before.absolute(&word.text)),
                Keyword::Run => step.before.workdir().map(str::to_owned),
                _ => continue,
            };
            let inside = place.as_deref().is_none_or(|place| covers(folder, place));
            let names = one.keyword == Keyword::Run
                && String::from_utf8_lossy(one.args_text()).contains(folder.as_str());
            if one.keyword == Keyword::Workdir && place.as_deref() == Some(folder.as_str()) {
                made = true;
            } else if inside || names {
                return Err(format!(
                    "{} may have put more below `{folder}`",
                    one.keyword
                ));
            }
        }
        Ok(made)
    }

    /// Whether the RUN is left as it was, but for the recursion.
    fn is_left_as_folder(&self, shell: &Shell, next: &Step<'_>, side: &Side<'_>) -> bool {
        if next.instruction.keyword != Keyword::Run || !self.recursive || self.name != "chown" {
            return false;
        }
        let Some(left) = Shell::of(side, next, next.instruction) else {
            return false;
        };
        let first = left
            .script
            .statements
            .first()
            .and_then(|first| first.command());
        let expected = [self.name, &self.value].into_iter().map(str::to_owned);
        let Some(first) =
            first.filter(|first| first.redirects.is_empty() && first.assignments.is_empty())
        else {
            return false;
        };
        let now = plain_words(first).unwrap_or_default();
        let path = now.last().and_then(|path| next.before.absolute(path));
        let rest = |shell: &Shell, span: Span| {
            let end = shell.script.span.end.max(span.end);
            shell.slice(Span::new(span.end, end)).to_vec()
        };
        now.len() == 3
            && now
                .iter()
                .take(2)
                .map(|word| (*word).to_owned())
                .eq(expected)
            && path.as_ref() == self.paths.first()
            && rest(shell, self.span) == rest(&left, first.span)
            && next.instruction.flags.is_empty()
    }
}

/// A COPY after the patch.
struct Copied<'a> {
    instruction: &'a Instruction,
    /// The absolute destination.
    place: String,
    /// Where the files that are named may land; not those of patterns and folders.
    files: Vec<Vec<String>>,
    is_from_elsewhere: bool,
}

impl<'a> Copied<'a> {
    fn of(after: &After<'a, '_>, copy: usize) -> Option<Self> {
        let step = after.steps.get(copy)?;
        let instruction = step.instruction;
        let (place, is_directory) = copies::destination((step, after.side))?;
        let sources = copies::sources(instruction);
        let inside =
            |source: &&str| format!("{}/{}", place.trim_end_matches('/'), base_name(source));
        let is_file = |source: &&str| {
            base_name(source).contains('.') && !source.contains(['*', '?', '[', '$'])
        };
        let names = sources.iter().filter(|source| is_file(source));
        let files = names.map(|source| match is_directory {
            true => vec![inside(source)],
            false => vec![place.clone(), inside(source)],
        });
        let files = files.collect();
        let is_remote = sources.iter().any(|source| source.contains("://"));
        let is_from_elsewhere = is_remote || instruction.flag("from").is_some();
        Some(Self {
            instruction,
            place,
            files,
            is_from_elsewhere,
        })
    }

    fn value(&self, flag: &str) -> Option<&str> {
        self.instruction.flag(flag)?.value.as_deref()
    }
}

fn base_name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}
