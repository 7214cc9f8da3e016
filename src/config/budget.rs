//! `[budget]`: how large images may become. Sizes are those of the files in all layers, as `docker images` counts.
//!
//! ```toml
//! [budget]
//! "*" = "1GB"                      # every image
//! "backend/Dockerfile" = "400MB"   # of this Dockerfile, relative to the folder of dockeropt.toml; globs are allowed
//! "registry/app:*" = "300MB"       # or of this image
//! max-wasted = "20MB"              # bytes that later layers overwrite or delete
//! min-efficiency = 0.95
//! ```

use std::path::Path;

use globset::{Glob, GlobMatcher};

use super::Placed;
use super::parse::placed;
use crate::rule::UnknownName;
use crate::rule::read::{Fault, Item};

/// How large images may become. The default allows everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    /// The size that is allowed to the images of each Dockerfile, or to images of a name.
    sizes: Vec<Allowed>,
    max_wasted: Option<Placed<u64>>,
    min_efficiency: Option<Placed<f64>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Allowed {
    key: String,
    bytes: Placed<u64>,
}

/// What is held against a budget.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The Dockerfile, relative to the folder of the configuration, with slashes.
    pub dockerfile: Option<&'a str>,
    /// The image's name.
    pub image: Option<&'a str>,
    /// The bytes of its files in all layers.
    pub size: u64,
    /// The bytes that are wasted.
    pub wasted: u64,
    /// From 0 to 1.
    pub efficiency: f64,
}

/// What exceeds a budget, and where that is set.
#[derive(Debug, Clone, PartialEq)]
pub enum Excess {
    /// The size: the key, and the bytes that it allows.
    Size(String, Placed<u64>),
    /// The wasted bytes.
    Wasted(Placed<u64>),
    /// The efficiency, which is too low.
    Efficiency(Placed<f64>),
}

const MAX_WASTED: &str = "max-wasted";
const MIN_EFFICIENCY: &str = "min-efficiency";

impl Budget {
    pub(super) fn read(path: &Path, item: Item<'_>) -> Result<Self, Fault> {
        let mut budget = Self::default();
        for item in item.table()?.into_items() {
            let (line, name) = (item.line, item.name.clone());
            match name.as_str() {
                MAX_WASTED => budget.max_wasted = Some(placed(path, line, bytes(item)?)),
                MIN_EFFICIENCY => budget.min_efficiency = Some(placed(path, line, share(item)?)),
                _ => {
                    check_key(line, &name)?;
                    let bytes = placed(path, line, bytes(item)?);
                    budget.sizes.push(Allowed { key: name, bytes });
                }
            }
        }
        Ok(budget)
    }

    /// Whether it allows everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The sizes that are allowed, by key, in the order of the file.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, &Placed<u64>)> {
        self.sizes.iter().map(|one| (one.key.as_str(), &one.bytes))
    }

    /// `max-wasted`, in bytes.
    pub fn max_wasted(&self) -> Option<&Placed<u64>> {
        self.max_wasted.as_ref()
    }

    /// `min-efficiency`.
    pub fn min_efficiency(&self) -> Option<&Placed<f64>> {
        self.min_efficiency.as_ref()
    }

    /// What of the image exceeds it.
    pub fn exceeded(&self, measured: &Measured<'_>) -> Vec<Excess> {
        let size = self.size_for(measured);
        let size = size.filter(|allowed| measured.size > allowed.bytes.value);
        let wasted = self.max_wasted.as_ref();
        let wasted = wasted.filter(|most| measured.wasted > most.value);
        let efficiency = self.min_efficiency.as_ref();
        let efficiency = efficiency.filter(|least| measured.efficiency < least.value);
        let size = size.map(|one| Excess::Size(one.key.clone(), one.bytes.clone()));
        let wasted = wasted.cloned().map(Excess::Wasted);
        let efficiency = efficiency.cloned().map(Excess::Efficiency);
        size.into_iter().chain(wasted).chain(efficiency).collect()
    }

    /// The name itself goes before the first glob that fits, and `*` comes last.
    fn size_for(&self, measured: &Measured<'_>) -> Option<&Allowed> {
        let names: Vec<&str> = measured
            .dockerfile
            .into_iter()
            .chain(measured.image)
            .collect();
        let named = |allowed: &&Allowed| names.contains(&allowed.key.as_str());
        let fits = |allowed: &&Allowed| {
            allowed.key != "*" && names.iter().any(|name| matches(&allowed.key, name))
        };
        let mut sizes = self.sizes.iter();
        let named = sizes.clone().find(named);
        let fitting = named.or_else(|| sizes.clone().find(fits));
        fitting.or_else(|| sizes.find(|allowed| allowed.key == "*"))
    }
}

fn matches(glob: &str, name: &str) -> bool {
    matcher(glob).is_ok_and(|matcher| matcher.is_match(name))
}

fn matcher(glob: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(Glob::new(glob)?.compile_matcher())
}

/// A key is a glob, a path or an image's name; what looks like none of them is taken for a slip.
fn check_key(line: u32, key: &str) -> Result<(), Fault> {
    let lower = key.to_lowercase();
    let is_path = ["/", "*", ".", ":"].iter().any(|mark| key.contains(mark));
    let is_file = ["dockerfile", "containerfile"]
        .iter()
        .any(|name| lower.contains(name));
    if !is_path && !is_file {
        let allowed = [MAX_WASTED, MIN_EFFICIENCY].map(str::to_owned);
        let unknown = UnknownName::new("key", key, allowed);
        let message =
            format!("in `budget`: {unknown}; an image's name needs its tag, as in `{key}:*`");
        return Err(Fault::new(line, message));
    }
    matcher(key).map_err(|error| Fault::new(line, format!("in `budget`: {error}")))?;
    Ok(())
}

/// `400MB`, `1.5 GB`, `300MiB` or a number of bytes.
fn bytes(item: Item<'_>) -> Result<u64, Fault> {
    let (line, key) = (item.line, item.key.clone());
    let wrong = || {
        Fault::new(
            line,
            format!("`{key}` is no size such as `400MB`, `1.5GB` or `300MiB`"),
        )
    };
    match item.plain()? {
        toml::Value::Integer(bytes) => u64::try_from(bytes).map_err(|_| wrong()),
        toml::Value::String(text) => size(&text).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|char: char| !char.is_ascii_digit() && char != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    (bytes <= u64::MAX as f64).then_some(bytes as u64)
}

/// A number from 0 to 1.
fn share(item: Item<'_>) -> Result<f64, Fault> {
    let (line, key) = (item.line, item.key.clone());
    let value = match item.plain()? {
        toml::Value::Float(value) => value,
        toml::Value::Integer(value) => value as f64,
        _ => f64::NAN,
    };
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(Fault::new(
            line,
            format!("`{key}` is no number from 0 to 1, such as 0.95"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn budget(text: &str) -> Result<Budget, String> {
        let text = format!("[budget]\n{text}");
        let config = Config::parse(Path::new("dockeropt.toml"), &text);
        config
            .map(|config| config.budget)
            .map_err(|error| error.to_string())
    }

    fn measured<'a>(dockerfile: Option<&'a str>, image: Option<&'a str>) -> Measured<'a> {
        Measured {
            dockerfile,
            image,
            size: 500_000_000,
            wasted: 30_000_000,
            efficiency: 0.9,
        }
    }

    #[track_caller]
    fn check_key_of(dockerfile: &str, image: &str, expected: &str) {
        let text = "'*' = 1\n'*/Dockerfile' = 2\n'back/Dockerfile' = 3\n'*/app:*' = 4";
        let exceeded = budget(text)
            .unwrap()
            .exceeded(&measured(Some(dockerfile), Some(image)));
        let [Excess::Size(key, _)] = exceeded.as_slice() else {
            panic!("{exceeded:?}");
        };
        assert_eq!(key, expected);
    }

    #[test]
    fn the_closest_key_counts() {
        check_key_of("back/Dockerfile", "x:1", "back/Dockerfile");
        check_key_of("front/Dockerfile", "x:1", "*/Dockerfile");
        check_key_of("Dockerfile", "registry/app:1", "*/app:*");
        check_key_of("Dockerfile", "x:1", "*");
    }

    #[test]
    fn what_is_exceeded_is_said_and_nothing_else() {
        let text = "'*' = '500MB'\nmax-wasted = '20MB'\nmin-efficiency = 0.95";
        let exceeded = budget(text).unwrap().exceeded(&measured(None, None));
        assert!(
            matches!(
                exceeded.as_slice(),
                [Excess::Wasted(_), Excess::Efficiency(_)]
            ),
            "{exceeded:?}"
        );
        let text = "'*' = '0.5GB'\nmax-wasted = '30MB'\nmin-efficiency = 0.9";
        assert_eq!(budget(text).unwrap().exceeded(&measured(None, None)), []);
        assert!(budget("").unwrap().is_empty());
    }

    #[test]
    fn sizes_have_units() {
        let sizes = ["1", "1B", "1 kB", "1.5MB", "2GB", "1KiB", "1MiB", "1GiB"];
        let expected = [
            1,
            1,
            1_000,
            1_500_000,
            2_000_000_000,
            1 << 10,
            1 << 20,
            1 << 30,
        ];
        assert_eq!(sizes.map(|text| size(text).unwrap()), expected);
        for text in ["", "MB", "1XB", "-1MB", "1.2.3MB", "MB1"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let check = |text: &str, expected: &str| assert_eq!(budget(text).unwrap_err(), expected);
        check(
            "'*' = '1GB'\nmax-waste = '1MB'",
            "dockeropt.toml:3: in `budget`: unknown key `max-waste`, did you mean `max-wasted`? \
             (allowed: `max-wasted`, `min-efficiency`); an image's name needs its tag, as in `max-waste:*`",
        );
        check(
            "'*' = '1 giga'",
            "dockeropt.toml:2: `budget.*` is no size such as `400MB`, `1.5GB` or `300MiB`",
        );
        check(
            "min-efficiency = 95",
            "dockeropt.toml:2: `budget.min-efficiency` is no number from 0 to 1, such as 0.95",
        );
        check(
            "'a/[' = 1",
            "dockeropt.toml:2: in `budget`: error parsing glob 'a/[': unclosed character class; missing ']'",
        );
    }
}
