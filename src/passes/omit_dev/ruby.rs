//! Bundler: what the Gemfile has in the groups development and test.

use super::{Development, Install};
use crate::context::path;
use crate::pass::project_place::Place;
use crate::project::Project;
use crate::project::ruby::Gem;

/// The groups that are left out.
const GROUPS: [&str; 2] = ["development", "test"];

pub(super) fn development(install: &Install<'_>) -> Result<Development, String> {
    let place = install.place;
    let root = place.project(&install.directory, "Gemfile")?;
    let project = Project::new(place.cx.context, &root);
    let gemfile = project.gemfile().map_err(|error| error.to_string())?;
    let gemfile = gemfile.ok_or("there is no `Gemfile` in the build context")?;
    if let Some(line) = gemfile.computed {
        return Err(format!("line {line} of the Gemfile computes"));
    }
    if !gemfile.included.is_empty() || !gemfile.gemspecs.is_empty() {
        return Err("the Gemfile takes gems from other files".to_owned());
    }
    if project.file(".bundle/config").is_some() {
        return Err("`.bundle/config` of the build context decides".to_owned());
    }
    if let Some(Configured::Otherwise(shown)) = configured(&place) {
        return Err(format!("`{shown}` decides"));
    }
    let lock = project.gemfile_lock().ok().flatten();
    let bundler = lock.and_then(|lock| lock.bundler.clone());
    if let Some(version) = bundler.filter(|version| version.starts_with("1.")) {
        return Err(format!("the lock file is one of Bundler {version}"));
    }
    let is_left_out = |gem: &&Gem| {
        let left_out = gem
            .groups
            .iter()
            .all(|group| GROUPS.contains(&group.as_str()));
        !gem.groups.is_empty() && left_out
    };
    let names = |all: Vec<&Gem>| {
        let names = all
            .into_iter()
            .filter_map(|gem| gem.name.literal().map(str::to_owned));
        names.collect::<std::collections::BTreeSet<String>>()
    };
    let (left_out, production): (Vec<&Gem>, Vec<&Gem>) = gemfile.gems.iter().partition(is_left_out);
    let production = names(production);
    let mut packages = names(left_out);
    packages.retain(|name| !production.contains(name));
    if packages.is_empty() {
        return Err("the Gemfile lists nothing for development and test".to_owned());
    }
    Ok(Development {
        packages,
        production,
        ..Development::default()
    })
}

/// `bundle config set` came with Bundler 2.1, which Ruby has since 2.7.
pub(super) fn check_version(place: &Place<'_>) -> Result<(), String> {
    let base = place.step().before.base();
    let version = base.version.as_deref().filter(|_| base.is_family("ruby"));
    let mut numbers = version
        .unwrap_or_default()
        .split('.')
        .map(str::parse::<u32>);
    let numbers = (
        numbers.next().and_then(Result::ok),
        numbers.next().and_then(Result::ok),
    );
    let old = Err("Ruby before 2.7 brings a Bundler before 2.1".to_owned());
    match numbers {
        (Some(3..), _) | (Some(2), Some(7..)) => {}
        (Some(_), _) => return old,
        _ => return Err("which Bundler it is is not known".to_owned()),
    }
    let steps = place.before().into_iter().chain([*place]);
    let pins = steps.filter(|one| one.step().is_run()).any(|one| {
        let text = String::from_utf8_lossy(one.step().instruction.args_text()).into_owned();
        text.contains("gem install") && text.contains("bundler") && text.contains("1.")
    });
    match pins {
        true => Err("an older Bundler may be installed".to_owned()),
        false => Ok(()),
    }
}

/// What the earlier commands and files say of groups.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Configured {
    /// `without` or `only`: the groups are chosen.
    Chosen,
    /// Something else decides; what, for a message.
    Otherwise(String),
}

/// A `bundle config` of the step or of one before it that speaks of groups.
pub(super) fn configured(place: &Place<'_>) -> Option<Configured> {
    let steps = place.before().into_iter().chain([*place]);
    for one in steps.filter(|one| one.step().is_run()) {
        let text = String::from_utf8_lossy(one.step().instruction.args_text()).into_owned();
        for behind in text.split("bundle config").skip(1) {
            let shown = behind
                .split(['&', ';', '\n'])
                .next()
                .unwrap_or_default()
                .trim();
            let mut words = shown.split_whitespace();
            match words.find(|word| matches!(*word, "without" | "with" | "only")) {
                Some("with") => {
                    return Some(Configured::Otherwise(format!("bundle config {shown}")));
                }
                Some(_) => return Some(Configured::Chosen),
                None => {}
            }
        }
    }
    let workdir = place.step().before.workdir()?;
    let file = path::join(workdir, ".bundle/config");
    place
        .text(&file)
        .map(|_| Configured::Otherwise(".bundle/config".to_owned()))
}
