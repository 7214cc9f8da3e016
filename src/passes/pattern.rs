//! Declarative rules: `[match]` and `[rewrite]` of a TOML file, without Rust.
//!
//! What cannot be known from the file (a variable in a word, an unknown base image) never matches.

use crate::model::Base;
use crate::model::image::ImageRef;
use crate::pass::command::{has_flag, leading_choices, name_index};
use crate::pass::layout::append_command;
use crate::pass::list::remove_statement;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::rule::{Match, Pattern, Rewrite};
use crate::syntax::shell::{CommandAt, Script};
use crate::syntax::{Instruction, Keyword};
use crate::text::{Edit, Span};

impl Pass for Pattern {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in cx.stages {
            if !stage_matches(&self.on, stage) {
                continue;
            }
            if self.on.instruction == Keyword::From.name() {
                self.instruction(cx, stage, stage.model.from, out);
            }
            for step in &stage.steps {
                if step.instruction.keyword.name() != self.on.instruction
                    || !user_matches(&self.on, step)
                {
                    continue;
                }
                match (self.on.command.is_empty(), step.script()) {
                    (true, _) => self.instruction(cx, stage, step.instruction, out),
                    (false, Some(script)) => self.commands(cx, step.instruction, script, out),
                    (false, None) => {}
                }
            }
        }
    }

    fn marks(&self) -> Vec<&str> {
        let names = self.on.command.first();
        names.into_iter().flatten().map(String::as_str).collect()
    }
}

impl Pattern {
    fn commands(
        &self,
        cx: &PassContext<'_>,
        instruction: &Instruction,
        script: &Script,
        out: &mut Findings,
    ) {
        for at in script.commands() {
            let Some(last) = leading_choices(at.command, &self.on.command) else {
                continue;
            };
            let flag = |flag: &String| has_flag(at.command, flag);
            let behind = &at.command.words[last + 1..];
            let valued = self.on.value.as_ref().is_none_or(|value| {
                let words = behind.iter().filter_map(|word| word.literal.as_deref());
                words
                    .into_iter()
                    .any(|word| !word.starts_with('-') && value.matches(word))
            });
            let flagged = self.on.flag.is_empty() || self.on.flag.iter().any(flag);
            if !valued || !flagged || self.on.lacks_flag.iter().any(flag) {
                continue;
            }
            let edits =
                |rewrite: &Rewrite| command_edits(rewrite, cx, instruction, script, (at, last));
            self.say(cx, at.command.span, edits, out);
        }
    }

    fn instruction(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        instruction: &Instruction,
        out: &mut Findings,
    ) {
        let flag = |wanted: &String| {
            let (name, value) = wanted
                .split_once('=')
                .map_or((&**wanted, None), |(n, v)| (n, Some(v)));
            let found = instruction.flag(name.trim_start_matches('-'));
            found.is_some_and(|flag| value.is_none() || flag.value.as_deref() == value)
        };
        let valued = self.on.value.as_ref().is_none_or(|value| {
            let words = instruction.words().iter().map(|word| word.text.as_str());
            let values = instruction
                .pairs()
                .iter()
                .map(|pair| pair.value.text.as_str());
            words.chain(values).any(|word| value.matches(word))
        });
        let flagged = self.on.flag.is_empty() || self.on.flag.iter().any(flag);
        if !valued || !flagged || self.on.lacks_flag.iter().any(flag) {
            return;
        }
        let edits = |rewrite: &Rewrite| instruction_edits(rewrite, &self.on, stage, instruction);
        self.say(cx, shown_span(instruction), edits, out);
    }

    fn say(
        &self,
        cx: &PassContext<'_>,
        span: Span,
        edits: impl FnOnce(&Rewrite) -> Option<Vec<Edit>>,
        out: &mut Findings,
    ) {
        let message = self.message.as_ref().unwrap_or(&cx.rule.summary).clone();
        let Some(rewrite) = &self.rewrite else {
            return out.report(span, message, None);
        };
        match edits(rewrite) {
            Some(edits) if edits.is_empty() => {}
            Some(edits) => out.report(span, message, cx.fix(cx.rule.summary.clone(), edits)),
            None => out.decline(span, "what stands here cannot be rewritten in place"),
        }
    }
}

fn stage_matches(on: &Match, stage: &Stage<'_>) -> bool {
    let start = &stage.model.end;
    let distro = start.distribution().map(|distribution| distribution.name());
    let known = on.distro.is_empty()
        || distro.is_some_and(|name| on.distro.iter().any(|wanted| wanted == name));
    let base = on
        .base
        .as_ref()
        .is_none_or(|wanted| match &stage.model.base {
            Base::Image(image) => image_names(image).iter().any(|name| wanted.matches(name)),
            _ => false,
        });
    known && base && (stage.ships || !on.shipped)
}

fn user_matches(on: &Match, step: &Step<'_>) -> bool {
    on.user.as_deref().is_none_or(|wanted| match wanted {
        "root" => step.before.is_root() == Some(true),
        wanted => step.before.user() == Some(wanted),
    })
}

/// The names of an image, short and in full, without its tag and with it.
fn image_names(image: &ImageRef) -> Vec<String> {
    let full = format!("{}/{}", image.registry, image.repository);
    let hub = full.strip_prefix("docker.io/").unwrap_or(&full);
    let short = hub.strip_prefix("library/").unwrap_or(hub);
    let mut names = vec![full.clone(), hub.to_owned(), short.to_owned()];
    if let Some(tag) = image.effective_tag() {
        names.extend([&full, hub, short].map(|name| format!("{name}:{tag}")));
    }
    names
}

fn command_edits(
    rewrite: &Rewrite,
    cx: &PassContext<'_>,
    instruction: &Instruction,
    script: &Script,
    (at, last): (CommandAt<'_>, usize),
) -> Option<Vec<Edit>> {
    let words = &at.command.words;
    let mut edits = Vec::new();
    if let Some(flag) = &rewrite.add_flag {
        edits.push(Edit::insert(words[last].span.end, format!(" {flag}")));
    }
    if let Some(flag) = &rewrite.drop_flag {
        let name = flag.split('=').next().unwrap_or(flag);
        for pair in words.windows(2) {
            let text = &pair[1].text;
            if text == flag || text.split('=').next() == Some(name) {
                let gone = Span::new(pair[0].span.end, pair[1].span.end);
                let crosses = |comment: &Span| gone.contains(*comment);
                (!instruction.comments.iter().any(crosses)).then_some(())?;
                edits.push(Edit::delete(gone));
            }
        }
    }
    if !rewrite.command.is_empty() {
        let mut name = words.get(name_index(at.command)?)?.span;
        // The directory of a path stays.
        if let Some(slash) = name.of(cx.text).iter().rposition(|byte| *byte == b'/') {
            name.start += slash as u32 + 1;
        }
        edits.push(Edit::replace(name, rewrite.command.join(" ")));
    }
    if !rewrite.append_command.is_empty() {
        let command = rewrite.append_command.join(" ");
        let ends_so = |one: &str| one == command;
        let last = script.top_commands().next_back();
        let last = last.map(|(_, command)| cx.shown(command.span));
        if !last.as_deref().is_some_and(ends_so) {
            instruction.heredocs.is_empty().then_some(())?;
            edits.push(append_command(instruction, script, cx.text, &command)?);
        }
    }
    if rewrite.delete {
        at.inside.is_none().then_some(())?;
        edits.extend(remove_statement(instruction, script, at.top, cx.text)?);
    }
    Some(edits)
}

fn instruction_edits(
    rewrite: &Rewrite,
    on: &Match,
    stage: &Stage<'_>,
    instruction: &Instruction,
) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    if let Some(flag) = &rewrite.add_flag {
        let last = instruction
            .flags
            .last()
            .map_or(instruction.keyword_span, |flag| flag.span);
        edits.push(Edit::insert(last.end, format!(" {flag}")));
    }
    if let Some(flag) = &rewrite.drop_flag {
        let name = flag.split('=').next()?.trim_start_matches('-');
        let mut before = instruction.keyword_span;
        for flag in &instruction.flags {
            if flag.name == name {
                edits.push(Edit::delete(Span::new(before.end, flag.span.end)));
            }
            before = flag.span;
        }
    }
    if let Some(keyword) = &rewrite.keyword {
        edits.push(Edit::replace(instruction.keyword_span, keyword.as_bytes()));
    }
    if rewrite.delete {
        instruction.comments.is_empty().then_some(())?;
        edits.push(Edit::delete(instruction.span));
    }
    if let Some(base) = &rewrite.base {
        edits.push(base_edit(base, on, stage)?);
    }
    Some(edits)
}

/// The edit that gives a stage another base image. Tag and digest stay, unless the pattern names a tag.
fn base_edit(base: &str, on: &Match, stage: &Stage<'_>) -> Option<Edit> {
    let Base::Image(image) = &stage.model.base else {
        return None;
    };
    let word = stage.model.from.words().first()?;
    let wanted = on.base.as_ref()?;
    let names = image_names(image);
    let matched = names.iter().find(|name| wanted.matches(name))?;
    let star = wanted.capture(matched)?;
    let mut name = base.replacen('*', star, 1);
    if !matched.contains(':') {
        let tail = word.text.find(['@']).or_else(|| {
            let slash = word.text.rfind('/').map_or(0, |at| at + 1);
            word.text[slash..].find(':').map(|at| slash + at)
        });
        name.push_str(tail.map_or("", |at| &word.text[at..]));
    }
    (!word.text.contains('$')).then(|| Edit::replace(word.span, name))
}
