//! Composer: what `composer.json` has for development.

use super::{Development, Install};
use crate::project::Project;

pub(super) fn development(install: &Install<'_>) -> Result<Development, String> {
    let root = install.place.project(&install.directory, "composer.json")?;
    let project = Project::new(install.place.cx.context, &root);
    let manifest = project.composer_json().map_err(|error| error.to_string())?;
    let manifest = manifest.ok_or("there is no `composer.json` in the build context")?;
    if manifest.require_dev.is_empty() {
        return Err("`composer.json` lists nothing for development".to_owned());
    }
    let ignores = install
        .invocation
        .flags_named("--no-scripts")
        .next()
        .is_some();
    let lifecycle = manifest.install_scripts().filter(|_| !ignores);
    Ok(Development {
        packages: manifest.require_dev.keys().cloned().collect(),
        scripts: manifest.scripts.clone(),
        lifecycle: lifecycle
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        production: manifest.require.keys().cloned().collect(),
        ..Development::default()
    })
}
