//! A stage that is split in two: the builder does what it did, in the same order and state, and the stage that ships is
//! configured as it was, and holds the program at the path where it was.

mod bases;
mod c;
mod called;
mod dotnet;
mod java;
mod python;

use super::instruction::{self, is_same_text, same_platform};
use super::{Allowed, Fault, Side, Verdict, config, copies, mounts, steps};
use crate::model::config::Config;
use crate::model::state::Origin;
use crate::model::{Stage, Step};
use crate::rule::Effect;
use crate::syntax::{Args, Instruction, Keyword};

type At<'a, 'f> = (&'a Side<'f>, &'a Stage<'f>);

/// One stage more than before: the one in front of the last.
pub(super) fn split(before: &Side<'_>, after: &Side<'_>, allowed: Allowed<'_>) -> Verdict {
    let (old, new) = (&before.model.stages, &after.model.stages);
    let (Some((shipped, others)), [kept @ .., builder, runtime]) = (old.split_last(), &new[..])
    else {
        return Ok(());
    };
    let fault = |reason: &str| Err(Fault::new(reason, runtime.from.span));
    if kept.len() != others.len() {
        return fault("more than one stage is added");
    }
    for (old, new) in others.iter().zip(kept) {
        instruction::same((old.from, before), (new.from, after))?;
        steps::compare(before, &old.steps, after, new.index, allowed)?;
    }
    let platform = |stage: &Stage<'_>| same_platform((shipped.from, before), (stage.from, after));
    // Where the FROM is written anew, the stage may get a name: nothing behind the last one can mean another by it.
    let is_anew = shipped.name.is_none() && allowed.has(&Effect::Base);
    let is_new_name = is_anew && runtime.name != builder.name;
    let is_named_alike = shipped.name == runtime.name || is_new_name;
    if !is_named_alike || !platform(runtime) {
        return fault("the name or platform of the shipped stage changes");
    }
    let base = |stage: &Stage<'_>| stage.from.words().first().map(|word| word.text.clone());
    if base(shipped) != base(builder) || !platform(builder) {
        return fault("the builder stage has another base");
    }
    if base(shipped) != base(runtime) && !allowed.has(&Effect::Base) {
        return fault("the base of the shipped stage changes");
    }
    if c::is_old(shipped) && !c::keeps_release(shipped, runtime) {
        return fault("the base of the shipped stage is another release");
    }
    if !python::is_settled(builder) {
        return fault("the builder stage installs elsewhere more than once");
    }
    let built = builds((before, shipped), (after, builder), allowed)?;
    let carried = says((before, shipped), (after, builder, runtime), built, allowed)?;
    if c::is_old(shipped) && !c::has_libraries(builder, runtime) {
        return fault("the shipped stage does not have a library that is linked");
    }
    if c::is_old(shipped) && !c::takes_installed(builder, &carried) {
        return fault("the shipped stage does not take over what is installed");
    }
    is_configured_alike((before, shipped), (after, runtime), allowed)?;
    if !bases::is_fit((shipped, builder, runtime)) {
        return fault("the stage that ships may not work on its base");
    }
    if let Some(name) = called::forgotten(shipped, runtime) {
        let reason = format!("the shipped stage forgets `{name}`, which its health check calls");
        return fault(&reason);
    }
    holds_its_program((shipped, builder, runtime), after, &carried)
}

/// What the builder leaves to the stage that ships.
fn is_of_image(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Cmd
            | Keyword::Entrypoint
            | Keyword::Expose
            | Keyword::Healthcheck
            | Keyword::Label
            | Keyword::Maintainer
            | Keyword::Stopsignal
            | Keyword::Volume
    )
}

/// The builder is the old stage up to some step: how many of its steps that are.
fn builds(
    (before, shipped): At<'_, '_>,
    (after, builder): At<'_, '_>,
    allowed: Allowed<'_>,
) -> Result<usize, Fault> {
    let mut at = 0;
    let steps = match builder.steps.split_last() {
        Some((last, rest)) if allowed.has(&Effect::Packages) && drops_development(last) => rest,
        _ => &builder.steps[..],
    };
    for new in steps {
        while let Some(old) = shipped.steps.get(at)
            && is_of_image(old.instruction.keyword)
            && !is_same_text((old.instruction, before), (new.instruction, after))
        {
            at += 1;
        }
        let same = shipped
            .steps
            .get(at)
            .is_some_and(|old| builds_alike((before, old), (after, new)));
        if !same {
            let reason = format!(
                "{} of the builder stage is another",
                new.instruction.keyword
            );
            return Err(Fault::new(reason, new.instruction.span));
        }
        at += 1;
    }
    Ok(at)
}

/// Whether a step deletes what only development needs of what is installed in its directory.
pub(super) fn drops_development(step: &Step<'_>) -> bool {
    const COMMANDS: [&[u8]; 3] = [
        b"npm prune --omit=dev",
        b"pnpm prune --prod",
        b"yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline",
    ];
    let instruction = step.instruction;
    instruction.keyword == Keyword::Run
        && instruction.flags.is_empty()
        && COMMANDS.contains(&instruction.args_text())
}

/// Whether two steps are the same, but that `go` may be told to do without C.
fn builds_alike(
    (before, old): (&Side<'_>, &Step<'_>),
    (after, new): (&Side<'_>, &Step<'_>),
) -> bool {
    const WITHOUT_C: &str = "CGO_ENABLED=0 ";
    let (ours, theirs) = (old.instruction, new.instruction);
    if is_same_text((ours, before), (theirs, after)) {
        return true;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (old, new) = (text(ours.args_text()), text(theirs.args_text()));
    let is_same = instruction::have_same_flags(ours, theirs)
        && instruction::has_same_heredocs((ours, before), (theirs, after));
    let is_run = |one: &Instruction| one.keyword == Keyword::Run && matches!(one.args, Args::Shell);
    if is_same
        && is_run(ours)
        && is_run(theirs)
        && python::without_prefix(&new) == Some(old.clone())
    {
        return true;
    }
    let is_go = |(at, _): (usize, &str)| new[at + WITHOUT_C.len()..].starts_with("go ");
    is_same
        && ours.keyword == Keyword::Run
        && is_run(theirs)
        && !old.contains(WITHOUT_C)
        && new.match_indices(WITHOUT_C).all(is_go)
        && new.replace(WITHOUT_C, "") == old
}

/// The stage that ships says again what the old one said, but for what only the builder does; what it takes over from
/// the builder: absolute paths.
fn says(
    (before, shipped): At<'_, '_>,
    (after, builder, runtime): (&Side<'_>, &Stage<'_>, &Stage<'_>),
    built: usize,
    allowed: Allowed<'_>,
) -> Result<Vec<String>, Fault> {
    let mut carried = Vec::new();
    let mut said = vec![false; shipped.steps.len()];
    let mut last = 0;
    for new in &runtime.steps {
        let instruction = new.instruction;
        let is_said = |at: &usize| {
            let old = &shipped.steps[*at];
            !said[*at] && is_same_text((old.instruction, before), (instruction, after))
        };
        if let Some(at) = (0..shipped.steps.len()).find(is_said) {
            if !is_of_image(instruction.keyword) && at < last {
                return Err(Fault::new("steps change places", instruction.span));
            }
            said[at] = true;
            last = last.max(if is_of_image(instruction.keyword) {
                0
            } else {
                at
            });
            continue;
        }
        match taken_over((after, new), builder) {
            Some(path) => carried.push(path),
            None if is_restored((after, new), shipped, allowed) => {}
            None if allowed.has(&Effect::Packages) && installs_libraries(new, shipped) => {}
            None => {
                let reason = format!("{} is added to the stage that ships", instruction.keyword);
                return Err(Fault::new(reason, instruction.span));
            }
        }
    }
    for (at, old) in shipped.steps.iter().enumerate() {
        let keyword = old.instruction.keyword;
        let has_to_be = at >= built
            || keyword == Keyword::User
            || keyword == Keyword::Env && !(allowed.config("env") && is_for_compiler(old))
            || is_of_image(keyword);
        if has_to_be && !said[at] {
            let reason = format!("the stage that ships forgets {keyword}");
            return Err(Fault::new(reason, runtime.from.span));
        }
    }
    Ok(carried)
}

/// Variables that compilers and build tools read, and no program that they made.
const COMPILER: [&str; 40] = [
    "CARGO_INCREMENTAL",
    "CARGO_NET_GIT_FETCH_WITH_CLI",
    "CARGO_TERM_COLOR",
    "CC",
    "CFLAGS",
    "CGO_CFLAGS",
    "CGO_ENABLED",
    "CGO_LDFLAGS",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "DOTNET_CLI_TELEMETRY_OPTOUT",
    "DOTNET_NOLOGO",
    "DOTNET_SKIP_FIRST_TIME_EXPERIENCE",
    "GO111MODULE",
    "GOAMD64",
    "GOARCH",
    "GOARM",
    "GOBIN",
    "GOCACHE",
    "GOFLAGS",
    "GOMODCACHE",
    "GOOS",
    "GOPATH",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMDB",
    "GOTOOLCHAIN",
    "GRADLE_OPTS",
    "GRADLE_USER_HOME",
    "LDFLAGS",
    "LDLIBS",
    "LIBS",
    "MAKEFLAGS",
    "MAVEN_CONFIG",
    "MAVEN_OPTS",
    "NUGET_XMLDOC_MODE",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "SQLX_OFFLINE",
];

fn is_for_compiler(step: &Step<'_>) -> bool {
    let mut pairs = step.instruction.pairs().iter();
    pairs.all(|pair| COMPILER.contains(&pair.key.text.as_str()))
}

/// What `COPY --from=` the builder takes over, each file to where it was; with the owner that it has there.
fn taken_over((after, step): (&Side<'_>, &Step<'_>), builder: &Stage<'_>) -> Option<String> {
    let instruction = step.instruction;
    let value = |name: &str| {
        instruction
            .flag(name)
            .and_then(|flag| flag.value.as_deref())
    };
    let owner = value("chown");
    let known = instruction.flags.len() == 1 + usize::from(owner.is_some());
    let [source, _] = instruction.words() else {
        return None;
    };
    let (to, is_directory) = copies::destination((step, after))?;
    let is_builder = builder.name.as_deref() == Some(value("from")?.to_lowercase().as_str());
    let is_copy = instruction.keyword == Keyword::Copy && is_builder && known && !is_directory;
    let is_path = (source.text == to || python::takes_prefix(&source.text, &to, builder))
        && !to.contains(['*', '?', '[']);
    (is_copy && is_path && owner.is_none_or(|owner| gives(builder, owner))).then_some(to)
}

/// Whether a step of the builder gives files to this user.
fn gives(builder: &Stage<'_>, owner: &str) -> bool {
    builder.steps.iter().any(|step| {
        let instruction = step.instruction;
        let flag = instruction
            .flag("chown")
            .and_then(|flag| flag.value.as_deref());
        let text = String::from_utf8_lossy(instruction.args_text());
        let words: Vec<&str> = text.split_whitespace().collect();
        let by_command = words
            .windows(3)
            .any(|words| words == ["chown", "-R", owner]);
        flag == Some(owner) || instruction.keyword == Keyword::Run && by_command
    })
}

/// Whether a step gives back what the old base gave: the working directory, or a place to look for programs in.
fn is_restored(
    (after, step): (&Side<'_>, &Step<'_>),
    shipped: &Stage<'_>,
    allowed: Allowed<'_>,
) -> bool {
    let instruction = step.instruction;
    match instruction.keyword {
        Keyword::Workdir => {
            let directory = instruction.words().first();
            directory
                .and_then(|word| step.before.expand(&word.text, after.escape).ok())
                .as_deref()
                == shipped.end.workdir()
        }
        Keyword::Env if dotnet::unsets_address(instruction, shipped) => allowed.config("env"),
        Keyword::Env => {
            let [pair] = instruction.pairs() else {
                return false;
            };
            let added = pair.value.text.strip_suffix(":$PATH");
            let old = shipped
                .end
                .variable("PATH")
                .and_then(|path| path.value.as_deref());
            let had =
                |directory: &str| old.is_some_and(|old| old.split(':').any(|one| one == directory));
            pair.key.text == "PATH" && allowed.config("env") && added.is_some_and(had)
        }
        _ => false,
    }
}

/// The stage that ships ends in the same state, and the image is configured as it was.
fn is_configured_alike(
    (before, shipped): At<'_, '_>,
    (after, runtime): At<'_, '_>,
    allowed: Allowed<'_>,
) -> Verdict {
    let fault = |reason: String| Err(Fault::new(reason, runtime.from.span));
    let (old, new) = (&shipped.end, &runtime.end);
    let same_user =
        old.user() == new.user() || old.is_root() == Some(true) && new.is_root() == Some(true);
    if old.workdir() != new.workdir() || !same_user || old.shell() != new.shell() {
        return fault(
            "the shipped stage forgets the user, the directory or the shell of its base".to_owned(),
        );
    }
    for (name, variable) in old.variables() {
        let same = new.variable(name).map(|other| &other.value) == Some(&variable.value);
        let may_go = match variable.origin {
            Origin::Arg => true,
            Origin::Base => allowed.config("env"),
            Origin::Env => (name == "PATH" || COMPILER.contains(&name)) && allowed.config("env"),
        };
        if !same && !may_go {
            return fault(format!("the shipped stage forgets the variable `{name}`"));
        }
    }
    let (Some(old), Some(new)) = (
        before.model.config(shipped.index),
        after.model.config(runtime.index),
    ) else {
        return Ok(());
    };
    let starts = |one: &Config| (one.entrypoint.clone(), one.cmd.clone());
    let says = |keyword| {
        let mut steps = shipped.steps.iter();
        steps.any(|step| config::key(step.instruction.keyword) == Some(keyword))
    };
    // What neither base is known to have is not there in both.
    let starts_alike = starts(&old) == starts(&new)
        || says("entrypoint") && old.entrypoint == new.entrypoint
        || says("cmd") && old.cmd == new.cmd && old.entrypoint == new.entrypoint;
    if !starts_alike {
        return fault("the shipped stage forgets the command of its base".to_owned());
    }
    let rest = |one: Config| {
        let sets = (one.exposed_ports.known, one.volumes.known, one.labels.known);
        // That `scratch` has no author is known, of other images it is not.
        (sets, one.author.filter(|author| !author.is_empty()))
    };
    match rest(old) == rest(new) {
        true => Ok(()),
        false => fault("the shipped stage is configured differently".to_owned()),
    }
}

/// What CMD or ENTRYPOINT starts is taken over, or copied; or it is Node's, which the small image has too, and what Node
/// is to run is taken over.
fn holds_its_program(
    (shipped, builder, runtime): (&Stage<'_>, &Stage<'_>, &Stage<'_>),
    after: &Side<'_>,
    carried: &[String],
) -> Verdict {
    let words = after.model.config(runtime.index).and_then(|config| {
        let entrypoint = config.entrypoint.filter(|words| !words.is_empty());
        let starts_any = entrypoint
            .as_ref()
            .is_none_or(|words| words == &["docker-entrypoint.sh"]);
        if starts_any {
            return started(config.cmd?);
        }
        let mut words = started(entrypoint?)?;
        words.extend(config.cmd.unwrap_or_default());
        Some(words)
    });
    let fault = |reason: String| Err(Fault::new(reason, runtime.from.span));
    let words = words.and_then(|words| started(called::behind_init(words, runtime)?));
    let Some([program, arguments @ ..]) = words.as_deref() else {
        return fault("what the shipped stage starts is not known".to_owned());
    };
    let stages = (shipped, builder, runtime);
    let of_language = if shipped.end.base().is_family("python") {
        Some(python::holds(stages, after, carried, (program, arguments)))
    } else if java::is_old(shipped) {
        let words = within_shell(program, arguments);
        Some(java::holds(stages, carried, &words))
    } else if dotnet::is_old(shipped) {
        let words = within_shell(program, arguments);
        Some(dotnet::holds(stages, carried, &words))
    } else {
        None
    };
    match of_language {
        Some(true) => return Ok(()),
        Some(false) => {
            return fault(format!(
                "the shipped stage does not have all that `{program}` runs"
            ));
        }
        None => {}
    }
    let is_below = |path: &str| {
        let path = runtime.end.absolute(path);
        path.is_some_and(|path| carried.iter().any(|one| mounts::covers(one, &path)))
    };
    let is_held = if program.contains('/') {
        is_below(program)
    } else if shipped.end.base().is_family("node") && is_small(shipped, runtime) {
        match program.as_str() {
            "node" => arguments
                .iter()
                .find(|word| !word.starts_with('-'))
                .is_some_and(|file| is_below(file)),
            "npm" | "yarn" | "pnpm" => is_below("package.json"),
            _ => false,
        }
    } else {
        let path = runtime
            .end
            .variable("PATH")
            .and_then(|path| path.value.as_deref());
        let mut places = path.unwrap_or_default().split(':');
        places.any(|place| {
            let place = format!("{place}/{program}");
            let is_installed = || c::is_installed(builder, carried, &place);
            carried.contains(&place) || c::is_old(shipped) && is_installed()
        })
    };
    match is_held {
        true => Ok(()),
        false => fault(format!(
            "the shipped stage does not take over `{program}`, which it starts"
        )),
    }
}

/// Whether the new base is the small image of the same tag.
fn is_small(shipped: &Stage<'_>, runtime: &Stage<'_>) -> bool {
    let (old, new) = (image(shipped), image(runtime));
    let plain = old.strip_suffix(":latest").unwrap_or(&old);
    // `3.11-slim-bookworm`, `slim-bookworm`.
    let named = ["-slim-", ":slim-"].iter().any(|slim| {
        let joint = if *slim == "-slim-" { "-" } else { ":" };
        new.contains(slim) && new.replacen(slim, joint, 1) == old
    });
    let name = plain.rsplit('/').next();
    let by_tag = match name.is_some_and(|name| name.contains(':')) {
        true => new == format!("{old}-slim"),
        false => new == format!("{plain}:slim"),
    };
    named || by_tag
}

/// The image that a stage names.
fn image(stage: &Stage<'_>) -> String {
    let word = stage.from.words().first();
    word.map(|word| word.text.clone()).unwrap_or_default()
}

/// The words of a command in exec form; those of the program that a shell starts.
fn started(words: Vec<String>) -> Option<Vec<String>> {
    if let [shell, option, text] = words.as_slice()
        && shell == "/bin/sh"
        && option == "-c"
    {
        let mut words = text.split_whitespace().peekable();
        words.next_if_eq(&"exec");
        return Some(words.map(str::to_owned).collect());
    }
    Some(words)
}

/// The words of a program, or of what `sh -c` starts, as far as blanks tell.
fn within_shell(program: &str, arguments: &[String]) -> Vec<String> {
    if let [option, text] = arguments
        && matches!(program, "sh" | "bash" | "/bin/sh" | "/bin/bash")
        && option == "-c"
    {
        let words = text.split_whitespace().map(str::to_owned);
        return words.skip_while(|word| word == "exec").collect();
    }
    let program = std::iter::once(program.to_owned());
    program.chain(arguments.iter().cloned()).collect()
}

/// What one step of the stage that ships may do to install packages, with their names between.
const INSTALL: [&str; 2] = [
    "apt-get update && apt-get install -y --no-install-recommends ",
    " && rm -rf /var/lib/apt/lists/*",
];

/// Whether a step does nothing but to install libraries that it names, and packages that the old stage installed; for a
/// program of C or Rust, which brings none of its own, the certificates of authorities too.
fn installs_libraries(step: &Step<'_>, shipped: &Stage<'_>) -> bool {
    let instruction = step.instruction;
    let text = String::from_utf8_lossy(instruction.args_text());
    let is_letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".+-".contains(&byte);
    let is_library = |name: &str| {
        name.starts_with("lib") && !name.ends_with("-dev") && name.bytes().all(is_letter)
    };
    let brings_none = shipped.end.base().is_family("rust") || c::is_old(shipped);
    let is_known = |name: &str| {
        is_library(name)
            || brings_none && name == "ca-certificates"
            || !name.starts_with('-') && name.bytes().all(is_letter) && was_installed(name, shipped)
    };
    let names = text
        .strip_prefix(INSTALL[0])
        .and_then(|rest| rest.strip_suffix(INSTALL[1]));
    instruction.keyword == Keyword::Run
        && instruction.flags.is_empty()
        && matches!(instruction.args, Args::Shell)
        && step.before.is_root() == Some(true)
        && names.is_some_and(|names| names.split(' ').all(is_known))
}

/// Whether a step of the old stage installs a package by this name.
fn was_installed(name: &str, shipped: &Stage<'_>) -> bool {
    shipped.steps.iter().any(|step| {
        let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
        let mut words = text.split(|ch: char| ch.is_whitespace() || ";&|\\".contains(ch));
        let installs = words.any(|word| word == "install");
        step.instruction.keyword == Keyword::Run
            && installs
            && words.any(|word| word.split('=').next() == Some(name))
    })
}
