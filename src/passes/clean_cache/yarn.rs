//! Which yarn a project uses: yarn 1 has a cache beside the installation, later ones may install from it.

use crate::context::{BuildContext, Kind};
use crate::project::Project;
use crate::project::node::YarnFlavor;

/// Whether the projects of the context, at its top or one directory below, use yarn 1; `None` where nothing says so.
/// A manifest that cannot be read may be that of a later yarn.
pub(super) fn is_classic(context: &dyn BuildContext) -> Option<bool> {
    let below = context.children("").into_iter();
    // A symlink may lead to a directory.
    let below = below.filter(|(_, kind)| *kind != Kind::File);
    let directories = std::iter::once(String::new()).chain(below.map(|(name, _)| name));
    let found = directories.filter_map(|directory| {
        let flavor = Project::new(context, &directory).yarn_flavor();
        flavor.unwrap_or(Some(YarnFlavor::Berry))
    });
    let found: Vec<YarnFlavor> = found.collect();
    let is_classic = |flavor: &YarnFlavor| *flavor == YarnFlavor::Classic;
    (!found.is_empty()).then(|| found.iter().all(is_classic))
}
