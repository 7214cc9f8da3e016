//! Cache mounts over what package managers keep, in every step that uses it. Never over a folder that a later step, a
//! stage that copies from this one, or the image itself needs.
//!
//! A mount takes the place of cleaning: what would empty it, or switch the cache off, goes in the same step.

mod caches;
mod data;
mod needs;
mod script;

use std::collections::BTreeMap;

use self::caches::Use;
pub(super) use self::data::CacheMounts;
use self::data::Needs;
use self::needs::Family;
use self::script::Mounted;
use crate::context::path::is_at_or_below;
use crate::model::managers::{self, Manager, Role, invocation};
use crate::pass::cache_folder::{CacheMount, existing};
use crate::pass::runs::{self, Step};
use crate::pass::sites::{Site, Sites};
use crate::pass::{Findings, Pass, PassContext, frontend, run_flags};
use crate::syntax::shell::Script;
use crate::text::{Edit, Span};

impl Pass for CacheMounts {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let sites = Sites::of(cx);
        let mut wants = Wants::default();
        for (index, site) in sites.all.iter().enumerate() {
            self.read(site, index, &mut wants);
        }
        match frontend::obstacle(cx.file) {
            Some(reason) => wants.decline_all(&reason),
            None => self.settle(cx, &sites, &mut wants),
        }
        let group_of = wants.groups();
        let mut groups: BTreeMap<usize, Vec<Want<'_>>> = BTreeMap::new();
        for want in wants.all {
            match &want.mounts {
                Err(reason) => out.decline(want.at, reason.clone()),
                Ok(_) => groups.entry(group_of[want.step]).or_default().push(want),
            }
        }
        for group in groups.into_values() {
            self.report(cx, &sites, group, out);
        }
    }

    fn marks(&self) -> Vec<&str> {
        managers::marks(self.manager.keys())
    }
}

/// A manager that a step uses.
struct Want<'r> {
    step: usize,
    root: usize,
    manager: &'static Manager,
    needs: &'r Needs,
    /// The first command that uses it.
    at: Span,
    /// The mounts that the step should get, or why it gets none.
    mounts: Result<Vec<CacheMount>, String>,
}

#[derive(Default)]
struct Wants<'r> {
    all: Vec<Want<'r>>,
    /// Steps that have mounts already, by root and the manager's name.
    mounted: BTreeMap<(usize, &'static str), Vec<usize>>,
}

impl Wants<'_> {
    fn decline_all(&mut self, reason: &str) {
        for want in &mut self.all {
            if want.mounts.is_ok() {
                want.mounts = Err(reason.to_owned());
            }
        }
    }

    /// For each step the group that it is in: steps that get their mounts together, or not at all.
    fn groups(&self) -> Vec<usize> {
        let steps = self
            .all
            .iter()
            .map(|want| want.step + 1)
            .max()
            .unwrap_or_default();
        let mut groups: Vec<usize> = (0..steps).collect();
        let mut names: Vec<&str> = self
            .all
            .iter()
            .map(|want| want.manager.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let mut joined: BTreeMap<usize, usize> = BTreeMap::new();
            let mut into: BTreeMap<usize, usize> = BTreeMap::new();
            let together = |want: &&Want<'_>| {
                want.manager.name == name && want.needs.together && want.mounts.is_ok()
            };
            for want in self.all.iter().filter(together) {
                let group = groups[want.step];
                let first = *joined.entry(want.root).or_insert(group);
                into.insert(group, first);
            }
            for group in &mut groups {
                *group = into.get(group).copied().unwrap_or(*group);
            }
        }
        groups
    }
}

impl CacheMounts {
    /// Finds the managers that a step uses.
    fn read<'r>(&'r self, site: &Site<'_>, index: usize, wants: &mut Wants<'r>) {
        let step = site.step;
        let want = |manager, needs, at, mounts| Want {
            step: index,
            root: site.root,
            manager,
            needs,
            at,
            mounts,
        };
        if let Some(opaque) = step.opaque() {
            let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
            let words = text
                .split(|ch: char| !ch.is_alphanumeric() && !matches!(ch, '-' | '_' | '.' | '/'));
            let mut named: Vec<&'static Manager> = words.filter_map(manager_called).collect();
            named.sort_by_key(|manager| &manager.name);
            named.dedup_by_key(|manager| &manager.name);
            for manager in named {
                if let Some(needs) = self.needs(manager) {
                    let at = runs::shown_span(step.instruction);
                    wants
                        .all
                        .push(want(manager, needs, at, Err(opaque.reason().to_owned())));
                }
            }
            return;
        }
        let Some(script) = step.script() else { return };
        let mut uses: BTreeMap<&str, (&'static Manager, &Needs, Vec<Use<'_>>)> = BTreeMap::new();
        let mut updates: BTreeMap<&str, (&'static Manager, &Needs, Span)> = BTreeMap::new();
        for at in script.commands() {
            let Some(invocation) = invocation(&at.command.words) else {
                continue;
            };
            let (manager, command) = (invocation.manager, at.command);
            let Some(needs) = self.needs(manager) else {
                continue;
            };
            if needs.update_here && invocation.role == Role::UpdateIndex {
                updates.insert(&manager.name, (manager, needs, command.span));
            }
            if needs.is_use(&invocation) {
                let of_manager = uses.entry(&manager.name);
                let of_manager = of_manager.or_insert_with(|| (manager, needs, Vec::new()));
                of_manager.2.push(Use {
                    command,
                    invocation,
                });
            }
        }
        updates.retain(|name, _| !uses.contains_key(name));
        for (manager, needs, at) in updates.into_values() {
            let reason = "what is fetched here, and how, another step may rely on";
            wants
                .all
                .push(want(manager, needs, at, Err(reason.to_owned())));
        }
        for (manager, needs, uses) in uses.into_values() {
            let mounts = caches::mounts(manager, needs, step, &uses);
            let mounts =
                mounts.and_then(
                    |mounts| match script::without_update(needs, manager, script) {
                        Some(reason) => Err(reason),
                        None => Ok(mounts),
                    },
                );
            let there = existing(step);
            let covers =
                |mount: &CacheMount| there.iter().any(|one| is_at_or_below(&mount.target, one));
            let meets = |mount: &CacheMount| step.mounts_over(&mount.target);
            let mounts = match mounts {
                Ok(mounts) if mounts.iter().all(covers) => {
                    let family = wants.mounted.entry((site.root, &manager.name));
                    family.or_default().push(index);
                    continue;
                }
                Ok(mounts) if mounts.iter().any(meets) => {
                    Err("the step has a mount there already".to_owned())
                }
                mounts => mounts,
            };
            let at = uses.first().map_or(script.span, |one| one.command.span);
            wants.all.push(want(manager, needs, at, mounts));
        }
    }

    /// Takes the mounts back where something needs what they would hide.
    fn settle(&self, cx: &PassContext<'_>, sites: &Sites<'_>, wants: &mut Wants<'_>) {
        let mut families: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
        for (at, want) in wants.all.iter().enumerate() {
            families
                .entry((want.root, &want.manager.name))
                .or_default()
                .push(at);
        }
        for ((root, name), members) in families {
            let Some(first) = members.first().and_then(|first| wants.all.get(*first)) else {
                continue;
            };
            let (manager, needs) = (first.manager, first.needs);
            let mut family = Family {
                rule: self,
                root,
                manager,
                needs,
                mounted: Vec::new(),
                targets: Vec::new(),
                leaves_index: needs.update_first,
            };
            let there = wants.mounted.get(&(root, name));
            family.mounted.extend(there.into_iter().flatten());
            let has_own = !family.mounted.is_empty();
            let mut alone = false;
            for want in members.iter().filter_map(|member| wants.all.get(*member)) {
                match &want.mounts {
                    Ok(mounts) => {
                        family.mounted.push(want.step);
                        family.leaves_index |= needs.leaves_index(sites.all[want.step].step);
                        family
                            .targets
                            .extend(mounts.iter().map(|mount| mount.target.clone()));
                    }
                    Err(_) => alone = true,
                }
            }
            family.mounted.sort_unstable();
            family.targets.sort_unstable();
            family.targets.dedup();
            let reason = match needs.together {
                true if has_own => Some("another step has mounts of its own there".to_owned()),
                true if alone => {
                    Some("another step that uses the cache cannot have the mount".to_owned())
                }
                _ => family.in_the_way(cx, sites),
            };
            let Some(reason) = reason else { continue };
            for member in members {
                if let Some(want) = wants.all.get_mut(member).filter(|want| want.mounts.is_ok()) {
                    want.mounts = Err(reason.clone());
                }
            }
        }
    }

    /// Reports the steps of one group as one finding.
    fn report(
        &self,
        cx: &PassContext<'_>,
        sites: &Sites<'_>,
        group: Vec<Want<'_>>,
        out: &mut Findings,
    ) {
        let mut steps: BTreeMap<usize, Vec<Mounted<'_>>> = BTreeMap::new();
        let (mut names, mut places) = (Vec::new(), Vec::new());
        for want in group {
            let Want {
                step,
                manager,
                needs,
                at,
                mounts,
                ..
            } = want;
            let Ok(mounts) = mounts else { continue };
            if !names.contains(&manager.name.as_str()) {
                names.push(manager.name.as_str());
            }
            places.push(at);
            steps.entry(step).or_default().push(Mounted {
                manager,
                needs,
                mounts,
            });
        }
        let Some(span) = places.iter().copied().reduce(Span::cover) else {
            return;
        };
        let mut edits = Vec::new();
        for (step, mounted) in &steps {
            let site = &sites.all[*step];
            let Some(script) = site.step.script() else {
                return;
            };
            match self.step_edits(cx, site.step, script, mounted) {
                Ok(of_step) => edits.extend(of_step),
                Err(reason) => {
                    places
                        .into_iter()
                        .for_each(|at| out.decline(at, reason.clone()));
                    return;
                }
            }
        }
        let title = match steps.len() {
            1 => "mount the cache",
            _ => "mount the cache in every step that uses it",
        };
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("no cache of {} is kept between builds", names.join(" and "));
        out.report(span, message, cx.fix(title, edits));
    }

    fn step_edits(
        &self,
        cx: &PassContext<'_>,
        step: &Step<'_>,
        script: &Script,
        mounted: &[Mounted<'_>],
    ) -> Result<Vec<Edit>, String> {
        let mut edits = script::edits(self, cx.text, step, script, mounted)?;
        let mut flags: Vec<String> = Vec::new();
        for mount in mounted.iter().flat_map(|one| &one.mounts) {
            let flag = mount.flag();
            if !flags.contains(&flag) {
                flags.push(flag);
            }
        }
        let insertion = run_flags::insertion(cx.text, step, script, &flags, &edits);
        let insertion = insertion.ok_or("what would have to go stands too close together")?;
        edits.push(insertion);
        Ok(edits)
    }
}

fn manager_called(word: &str) -> Option<&'static Manager> {
    managers::by_command(word.rsplit('/').next().unwrap_or(word))
}
