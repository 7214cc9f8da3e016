//! Node: `package.json`, the lock files of npm, yarn, pnpm and bun, and workspaces.
//!
//! Sources: npm's manual (package.json, package-lock.json, workspaces) and npm-package-arg, yarn's manual (classic and
//! 2+), pnpm's manual. No script is run; what a lock file records is compared, never resolved again.

mod package_json;
mod package_lock;
mod pnpm;
mod spec;
mod workspaces;
mod yarn;

pub use package_json::{Manager, PackageJson, Section, package_json};
pub use package_lock::{LockStep, PackageLock, Ranges, package_lock};
pub use pnpm::{PnpmLock, PnpmWorkspace, pnpm_lock, pnpm_workspace};
pub use spec::Spec;
pub use workspaces::workspace_members;
pub use yarn::{Plugin, YarnFlavor, YarnRc, yarn_flavor, yarn_rc};

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// An object of texts, as npm reads it: `null` and lists, which old tools wrote for "nothing", are empty.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Texts;

    impl<'de> Visitor<'de> for Texts {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of strings")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut texts = BTreeMap::new();
            while let Some((name, text)) = map.next_entry()? {
                texts.insert(name, text);
            }
            Ok(texts)
        }
    }

    deserializer.deserialize_any(Texts)
}
