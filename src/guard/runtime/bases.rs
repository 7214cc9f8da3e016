//! The base of the stage that ships a compiled program: one that has what the stage runs and the program needs.

use crate::model::Stage;
use crate::syntax::{Args, Keyword};

/// Whether the stage works on its base. Of other languages than those that make a program, nothing is said here.
pub(super) fn is_fit((shipped, builder, runtime): (&Stage<'_>, &Stage<'_>, &Stage<'_>)) -> bool {
    let old = shipped.end.base();
    let is_go = old.is_family("golang");
    let image = |stage: &Stage<'_>| {
        let word = stage.from.words().first();
        word.map(|word| word.text.clone()).unwrap_or_default()
    };
    let (full, small) = (image(shipped), image(runtime));
    if !is_go && !old.is_family("rust") || full == small {
        return true;
    }
    match small.as_str() {
        "scratch" => !needs_shell(runtime) && is_alone(is_go, builder) && has_plain_user(runtime),
        "gcr.io/distroless/static-debian12" => !needs_shell(runtime) && is_alone(is_go, builder),
        "gcr.io/distroless/cc-debian12" => !is_go && !needs_shell(runtime),
        _ if small.starts_with("debian:") => small.ends_with("-slim"),
        // On another distribution only what needs no C library runs.
        _ if small.starts_with("alpine:") => {
            old.package_manager == Some("apk") || is_go && is_without_c(builder)
        }
        _ => false,
    }
}

/// Whether the program needs no C library of its image.
fn is_alone(is_go: bool, builder: &Stage<'_>) -> bool {
    match is_go {
        true => is_without_c(builder),
        false => is_for_musl(builder),
    }
}

/// Whether all that cargo builds is for musl, whose library the programs bring unless they are told not to.
fn is_for_musl(builder: &Stage<'_>) -> bool {
    let texts = builder
        .steps
        .iter()
        .map(|step| String::from_utf8_lossy(step.instruction.args_text()).into_owned());
    let texts: Vec<String> = texts.collect();
    let builds = |text: &&String| text.contains("cargo build") || text.contains("cargo install");
    let mut builds = texts.iter().filter(builds).peekable();
    builds.peek().is_some()
        && builds.all(|text| text.contains("--target") && text.contains("-musl"))
        && !texts.iter().any(|text| text.contains("crt-static"))
}

/// Whether the stage runs a command, or a shell starts what it ships.
fn needs_shell(runtime: &Stage<'_>) -> bool {
    runtime.steps.iter().any(|step| {
        let instruction = step.instruction;
        match instruction.keyword {
            Keyword::Run => true,
            Keyword::Cmd | Keyword::Entrypoint => !matches!(instruction.args, Args::Exec(_)),
            _ => false,
        }
    })
}

/// Whether the builder compiles without C.
fn is_without_c(builder: &Stage<'_>) -> bool {
    let set = builder.end.variable("CGO_ENABLED");
    let is_set = set.is_some_and(|one| one.value.as_deref() == Some("0"));
    let mut steps = builder.steps.iter();
    is_set
        || steps.any(|step| {
            let text = String::from_utf8_lossy(step.instruction.args_text());
            step.instruction.keyword == Keyword::Run && text.contains("CGO_ENABLED=0")
        })
}

/// Whether the user has a number, or is the one that starts where none is named.
fn has_plain_user(runtime: &Stage<'_>) -> bool {
    let user = runtime.end.user().unwrap_or_default();
    user.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b':')
}
