//! .NET in a stage that is split in two: the stage that ships is built on the image of the same tag that only runs, and
//! takes over the directory of what it starts.

use super::image;
use crate::model::{Stage, Step};
use crate::syntax::{Instruction, Keyword};

/// Whether the old base is an image that compiles.
pub(super) fn is_old(shipped: &Stage<'_>) -> bool {
    let base = shipped.end.base();
    let is_family = base.is_family("dotnet") || base.is_family("dotnet-core");
    is_family && image(shipped).contains("/sdk:")
}

/// Whether the stage that ships has .NET, and takes over what it is to run: these words.
pub(super) fn holds(
    (shipped, builder, runtime): (&Stage<'_>, &Stage<'_>, &Stage<'_>),
    carried: &[String],
    words: &[String],
) -> bool {
    let (old, new) = (image(shipped), image(runtime));
    let runs_only = |kind: &str| {
        let same = old.replacen("/sdk:", &format!("/{kind}:"), 1);
        let version = same
            .split_once('-')
            .map_or(same.as_str(), |(version, _)| version);
        same == new || new == format!("{version}-alpine") && is_portable(builder, runtime, words)
    };
    let tag = old.rsplit(':').next().unwrap_or_default();
    let version = tag.split('-').next().unwrap_or_default();
    let is_release = version.split('.').count() == 2 && !tag.ends_with("-aot");
    if !is_release || !runs_only("aspnet") && !runs_only("runtime") {
        return false;
    }
    let file = match words {
        [dotnet, file, ..] if dotnet == "dotnet" && file.ends_with(".dll") => file,
        [file, ..] if file.contains('/') => file,
        _ => return false,
    };
    let is_published = |step: &Step<'_>| {
        let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
        step.instruction.keyword == Keyword::Run && text.contains("dotnet publish")
    };
    let place = runtime.end.absolute(file);
    let directory = place.as_deref().and_then(|place| place.rsplit_once('/'));
    let is_held =
        directory.is_some_and(|(directory, _)| carried.iter().any(|one| one == directory));
    is_held && builder.steps.iter().any(is_published)
}

/// Whether what is published is for no C library, and the stage that ships runs no command.
fn is_portable(builder: &Stage<'_>, runtime: &Stage<'_>, words: &[String]) -> bool {
    let is_run = |step: &&Step<'_>| step.instruction.keyword == Keyword::Run;
    let names_system = builder.steps.iter().filter(is_run).any(|step| {
        let text = String::from_utf8_lossy(step.instruction.args_text());
        text.contains("linux-") || text.contains("--os")
    });
    let by_dotnet = words.first().is_some_and(|word| word == "dotnet");
    by_dotnet && !names_system && !runtime.steps.iter().any(|step| is_run(&step))
}

/// Whether an ENV takes back the address that the image with the web server sets, and that the compiler's does not.
pub(super) fn unsets_address(env: &Instruction, shipped: &Stage<'_>) -> bool {
    let [pair] = env.pairs() else {
        return false;
    };
    let is_address = pair.key.text == "ASPNETCORE_URLS" && pair.value.text.is_empty();
    is_address && is_old(shipped) && shipped.end.variable("ASPNETCORE_URLS").is_none()
}
