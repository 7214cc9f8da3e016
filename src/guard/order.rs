//! Which steps may change places: those of which neither reads what the other one writes.

use super::Side;
use super::copies::destination;
use super::script::Shell;
use crate::model::Step;
use crate::model::managers::{Kind, Role, invocation};
use crate::syntax::{Instruction, Keyword};

type At<'a, 'f> = (&'a Step<'f>, &'a Side<'f>);

/// The text by which a step is found again.
pub(super) fn text(step: &Step<'_>, _side: &Side<'_>) -> Vec<u8> {
    let instruction = step.instruction;
    let mut text = instruction.keyword.to_string().into_bytes();
    text.push(b' ');
    text.extend_from_slice(instruction.args_text());
    text
}

/// Whether the steps do the same in either order. Unknown is no.
pub(super) fn are_independent(one: At<'_, '_>, other: At<'_, '_>) -> bool {
    let (a, b) = (one.0.instruction.keyword, other.0.instruction.keyword);
    is_apart(one, other, a, b) && is_apart(other, one, b, a)
}

/// Half of the table: whether what `one` sets or writes leaves `other` alone.
fn is_apart(one: At<'_, '_>, other: At<'_, '_>, a: Keyword, b: Keyword) -> bool {
    use Keyword as K;
    if a == b {
        return a == K::Expose && !has_variable(one.0.instruction);
    }
    match a {
        K::Env | K::Arg => {
            !matches!(b, K::Run | K::Env | K::Arg | K::Onbuild)
                && !has_variable(other.0.instruction)
        }
        K::Workdir => !matches!(b, K::Run | K::Copy | K::Add | K::Onbuild),
        K::User => !matches!(b, K::Run | K::Copy | K::Add | K::Workdir | K::Onbuild),
        K::Shell => !matches!(
            b,
            K::Run | K::Cmd | K::Entrypoint | K::Healthcheck | K::Onbuild
        ),
        K::Run => match b {
            K::Copy | K::Add => is_system_install(one) && is_out_of_the_way(other),
            _ => is_metadata(b),
        },
        K::Copy | K::Add => {
            b == K::Run || is_metadata(b) || matches!(b, K::Env | K::Arg | K::Shell)
        }
        K::Volume => is_metadata(b) && b != K::Onbuild,
        K::Entrypoint | K::Cmd => !matches!(b, K::Entrypoint | K::Cmd),
        K::Label | K::Expose | K::Stopsignal | K::Maintainer | K::Healthcheck => true,
        _ => false,
    }
}

/// Instructions that change the configuration of the image and nothing of the build.
fn is_metadata(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(
        keyword,
        K::Cmd
            | K::Entrypoint
            | K::Expose
            | K::Healthcheck
            | K::Label
            | K::Maintainer
            | K::Stopsignal
    )
}

fn has_variable(instruction: &Instruction) -> bool {
    instruction.logical.text.contains(&b'$')
}

/// Whether a RUN only installs packages of the distribution, all of them named.
fn is_system_install((step, side): At<'_, '_>) -> bool {
    is_made_of((step, side), |kind| kind == Kind::System)
}

/// Whether a RUN only calls package managers to install.
pub(super) fn is_install((step, side): At<'_, '_>) -> bool {
    is_made_of((step, side), |_| true)
}

fn is_made_of((step, side): At<'_, '_>, wanted: impl Fn(Kind) -> bool) -> bool {
    if step.instruction.keyword != Keyword::Run || !step.instruction.flags.is_empty() {
        return false;
    }
    let Some(shell) = Shell::of(side, step, step.instruction) else {
        return false;
    };
    let commands = shell.script.commands();
    let installs = commands.iter().all(|found| {
        let words = &found.command.words;
        let cleans = found.command.name() == Some("rm")
            && words
                .iter()
                .skip(1)
                .all(|word| word.text.starts_with('-') || word.text.starts_with("/var/"));
        let one = invocation(words).filter(|one| !one.dynamic && wanted(one.manager.kind));
        let role = one.map(|one| one.role);
        cleans
            || matches!(
                role,
                Some(Role::Install | Role::UpdateIndex | Role::Upgrade | Role::Clean)
            )
    });
    installs && !commands.is_empty()
}

/// Whether a COPY brings nothing that the distribution's package manager reads or writes.
fn is_out_of_the_way(at: At<'_, '_>) -> bool {
    const SYSTEM: [&str; 9] = [
        "/bin", "/boot", "/etc", "/lib", "/lib64", "/root", "/sbin", "/usr", "/var",
    ];
    let Some((path, _)) = destination(at) else {
        return false;
    };
    let is_in = |directory: &&str| {
        path.strip_prefix(*directory)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    path != "/" && !SYSTEM.iter().any(is_in)
}
