//! Package managers that are too old for a flag.

use serde::Deserialize;

use crate::model::state::State;
use crate::pass::PassContext;
use crate::syntax::shell::Script;

/// Where a package manager may not know the flag.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Old {
    /// Releases whose own package of the manager does not.
    releases: Vec<String>,
    /// The distribution's packages of the manager: of a base that is not known, they may be too old as well. Without
    /// them, what such a base itself brings may be.
    packages: Option<Vec<String>>,
    /// The image family that brings a manager of its own.
    own_image: Option<String>,
}

impl Old {
    /// Whether a step installs the manager as a package.
    pub(super) fn is_packaged(&self, script: &Script) -> bool {
        let packages = self.packages.as_deref().unwrap_or_default();
        let commands = script.commands();
        let mut words = commands.iter().flat_map(|at| &at.command.words);
        words.any(|word| packages.contains(&word.text))
    }

    /// Why the manager that runs in `before` may not know `flag`.
    pub(super) fn decline(
        &self,
        cx: &PassContext<'_>,
        before: &State,
        packaged: bool,
        flag: &str,
    ) -> Option<String> {
        let own = self.own_image.as_deref();
        let own = own.is_some_and(|family| before.base().is_family(family));
        let old = cx.old_release(before, &self.releases);
        if let Some(release) = old.filter(|_| !own) {
            return Some(format!("the package of {release} may not know `{flag}`"));
        }
        let doubtful = packaged || self.packages.is_none();
        let unknown = doubtful && !own && before.distribution().is_none();
        unknown.then(|| "which release the base image is of is not known".to_owned())
    }
}
