//! `preset`: which rules run where nothing else says so. What a rule may change decides, not a list of rules.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::Serialize;

use crate::rule::{Applicability, Effect, Rule, UnknownName, name};

/// Rules that run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The safe rules that keep caches and indexes of package managers out of the image, and change nothing else.
    Minimal,
    /// Those that are on by default.
    Recommended,
    /// Those that are off by default, too.
    All,
}

impl Preset {
    /// Every preset, the smallest first.
    pub const ALL: [Self; 3] = [Self::Minimal, Self::Recommended, Self::All];

    /// Whether `rule`, as it ships, is one of them.
    pub fn has(self, rule: &Rule) -> bool {
        match self {
            Self::Minimal => {
                rule.enabled
                    && rule.applicability == Applicability::Safe
                    && rule.effects == [Effect::Caches]
            }
            Self::Recommended => rule.enabled,
            Self::All => true,
        }
    }
}

impl Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Minimal => "minimal",
            Self::Recommended => "recommended",
            Self::All => "all",
        })
    }
}

impl FromStr for Preset {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        name::find("preset", name, &Self::ALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule;

    #[test]
    fn presets_grow() {
        let of = |preset: Preset| {
            let rules = rule::builtin().iter().filter(|rule| preset.has(rule));
            rules.map(|rule| rule.id.as_str()).collect::<Vec<_>>()
        };
        let [minimal, recommended, all] = Preset::ALL.map(of);
        assert!(minimal.iter().all(|id| recommended.contains(id)));
        assert!(minimal.len() < recommended.len() && recommended.len() < all.len());
        for id in ["apt-lists", "pip-no-cache", "npm-cache"] {
            assert!(minimal.contains(&id), "{id} in {minimal:?}");
        }
        for id in [
            "env-key-value",
            "join-runs",
            "apt-no-recommends",
            "copy-manifests-first",
        ] {
            assert!(!minimal.contains(&id), "{id} in {minimal:?}");
        }
    }
}
