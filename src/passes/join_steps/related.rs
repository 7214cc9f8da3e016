//! Which neighbouring steps belong together, as the option `when` of the rule says.

use super::{Wish, is_simple};
use crate::model::managers::{self, Invocation, Manager, Role, invocation};
use crate::pass::PassContext;
use crate::pass::runs::Stage;
use crate::syntax::shell::{Command, Script};

/// Whether the step with script `b` belongs to the one with script `a` before it.
pub(super) fn wish(cx: &PassContext<'_>, stage: &Stage<'_>, a: &Script, b: &Script) -> Wish {
    let when = cx.rule.option("when").and_then(toml::Value::as_str);
    let wish = match when {
        Some("all") => Wish::Join,
        Some("related") => of_one_manager(a, b),
        _ => Wish::None,
    };
    match wish {
        Wish::Join if !stage.ships => Wish::Decline("this stage does not ship"),
        wish => wish,
    }
}

/// Both steps do nothing but install with the same package manager.
fn of_one_manager(a: &Script, b: &Script) -> Wish {
    let (Some(first), Some(second)) = (Packages::of(a), Packages::of(b)) else {
        return Wish::None;
    };
    if first.manager.name != second.manager.name {
        return Wish::None;
    }
    if first.cleans {
        return Wish::Decline("the first step cleans up after itself: nothing is won");
    }
    if second.updates {
        return Wish::Decline("the second step fetches the package index itself: nothing is won");
    }
    if first.named != second.named {
        return Wish::Decline(
            "the steps change at different rates: one installs packages that it names, the other those of a manifest",
        );
    }
    Wish::Join
}

/// A step that does nothing but install.
struct Packages {
    manager: &'static Manager,
    /// Whether it names what it installs, and does not leave that to a manifest.
    named: bool,
    /// Whether it fetches the package index.
    updates: bool,
    /// Whether it ends with a cleanup.
    cleans: bool,
}

impl Packages {
    fn of(script: &Script) -> Option<Self> {
        let mut invocations: Vec<Invocation> = Vec::new();
        let mut cleans = false;
        for (_, command) in script.top_commands() {
            let one = invocation(&command.words);
            cleans = match &one {
                Some(one) => one.role == Role::Clean,
                None => deletes_cache(command),
            };
            match one {
                Some(one) if is_about_packages(one.role) => invocations.push(one),
                _ if cleans => {}
                _ => return None,
            }
        }
        let manager = invocations.first()?.manager;
        let alike = invocations
            .iter()
            .all(|one| one.manager.name == manager.name);
        let installs = invocations.iter().any(|one| one.role != Role::Remove);
        let from_manifest = |one: &Invocation| {
            one.role == Role::Install && (!one.names_packages() || !one.manifests.is_empty())
        };
        (is_simple(script) && alike && installs).then(|| Self {
            manager,
            updates: invocations.iter().any(|one| one.role == Role::UpdateIndex),
            named: !invocations.iter().any(from_manifest),
            cleans,
        })
    }
}

fn is_about_packages(role: Role) -> bool {
    matches!(
        role,
        Role::Install | Role::UpdateIndex | Role::Upgrade | Role::Remove
    )
}

/// Whether a command is an `rm` of the caches of package managers.
fn deletes_cache(command: &Command) -> bool {
    let mut words = command.words.iter().map(|word| word.text.as_str());
    let is_rm = words.next() == Some("rm");
    let mut paths = words.filter(|word| !word.starts_with('-')).peekable();
    is_rm
        && paths.peek().is_some()
        && paths.all(|path| managers::cache_owner(path, Some("/root")).is_some())
}
