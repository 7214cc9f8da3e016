//! BuildKit's provenance: which step of the build made which layer, and on which lines it stands. Only the kind of
//! `mode=max` says so, which an image carries as an attestation or a build writes down beside it.
//!
//! A layer is known by all layers up to it: steps that change nothing make equal ones. Where several instructions became
//! one step, all of their places are named; which of them it is, provenance alone does not know.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::history::{Lines, Step};
use super::manifest::blob_path;

/// The layers that steps made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Provenance {
    made: Vec<Made>,
}

#[derive(Debug, PartialEq, Eq)]
struct Made {
    /// The digests of the layers up to the one that was made: of their blobs, or of their archives.
    chain: Vec<String>,
    places: Vec<Lines>,
}

impl Provenance {
    /// What an attestation says; `None` where it is of another kind, or says nothing of layers.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let statement: Statement = serde_json::from_slice(text).ok()?;
        Self::of(&statement.predicate)
    }

    /// The same of a predicate alone.
    pub(super) fn of(predicate: &Value) -> Option<Self> {
        // SLSA 0.2, and 1.
        let metadata = predicate
            .pointer("/metadata/https:~1~1mobyproject.org~1buildkit@v1#metadata")
            .or_else(|| predicate.pointer("/runDetails/metadata/buildkit_metadata"))?;
        let metadata = Metadata::deserialize(metadata).ok()?;
        let sources = sources(predicate);
        let mut made = Vec::new();
        for (output, chains) in metadata.layers {
            let (step, _) = output.split_once(':').unwrap_or((&output, ""));
            let places = metadata.source.places(step);
            // The layers of a base image are not made by its FROM.
            if places.is_empty() || sources.contains(&step) {
                continue;
            }
            for chain in chains.into_iter().filter(|chain| !chain.is_empty()) {
                let chain = chain.into_iter().map(|layer| layer.digest).collect();
                let places = places.clone();
                made.push(Made { chain, places });
            }
        }
        (!made.is_empty()).then_some(Self { made })
    }

    /// Where the step stands that made each layer: no place where that is not known, several where it is one of them.
    /// Of each layer the path of its blob and the hash of its archive are given.
    pub(super) fn places(&self, layers: &[(&str, Option<&str>)]) -> Vec<Vec<Lines>> {
        let is = |digest: &String, (blob, diff_id): &(&str, Option<&str>)| {
            *diff_id == Some(digest) || blob_path(digest).is_ok_and(|path| path == *blob)
        };
        let is_all = |chain: &[String], layers: &[(&str, Option<&str>)]| {
            chain.len() == layers.len()
                && chain.iter().zip(layers).all(|(one, layer)| is(one, layer))
        };
        let places_of = |index: usize| {
            let layer = &layers[index];
            let mut found: Vec<&Made> = self.made.iter().collect();
            found.retain(|made| is_all(&made.chain, &layers[..=index]));
            // What is copied with `--link` is made on no other layer.
            let is_only = layers.iter().filter(|other| *other == layer).count() == 1;
            if found.is_empty() && is_only {
                found = self.made.iter().collect();
                found.retain(|made| made.chain.last().is_some_and(|last| is(last, layer)));
            }
            let mut places: Vec<Lines> =
                found.iter().flat_map(|made| made.places.clone()).collect();
            places.sort_by_key(|place| (place.first, place.last));
            places.dedup();
            places
        };
        (0..layers.len()).map(places_of).collect()
    }
}

/// Says on which lines the steps stand: where a layer has one place, there. Of several it is the one that the history has
/// said already. Where the history says another, it was held against the wrong instructions, and none of what it says is
/// kept.
pub(super) fn place(places: &[Vec<Lines>], steps: &mut [Step]) {
    let of = |step: &Step| {
        let places = step.layer.and_then(|layer| places.get(layer));
        places.map_or(&[][..], Vec::as_slice)
    };
    let contradicts = |step: &Step| {
        let places = of(step);
        let said = step.lines.filter(|_| !places.is_empty());
        said.is_some_and(|said| !places.iter().any(|place| place.meets(said)))
    };
    if steps.iter().any(contradicts) {
        steps.iter_mut().for_each(|step| step.lines = None);
    }
    for step in steps {
        if let [only] = of(step) {
            step.lines = Some(*only);
        }
    }
}

/// The steps that fetch something, and so the base images.
fn sources(predicate: &Value) -> Vec<&str> {
    let steps = predicate.pointer("/buildConfig/llbDefinition").or_else(|| {
        predicate.pointer("/buildDefinition/internalParameters/buildConfig/llbDefinition")
    });
    let steps = steps.and_then(Value::as_array).into_iter().flatten();
    let sources = steps.filter(|step| !step["op"]["Op"]["source"].is_null());
    sources.filter_map(|step| step["id"].as_str()).collect()
}

impl Source {
    /// The places of a step, each from its first line to its last.
    fn places(&self, step: &str) -> Vec<Lines> {
        let places = self.locations.get(step).map(|found| &found.locations);
        let lines = |place: &Location| {
            let ranges = place.ranges.iter();
            Some(Lines {
                first: ranges.clone().map(|range| range.start.line).min()?,
                last: ranges.map(|range| range.end.line).max()?,
            })
        };
        places.into_iter().flatten().filter_map(lines).collect()
    }
}

#[derive(Deserialize)]
struct Statement {
    predicate: Value,
}

#[derive(Deserialize)]
struct Metadata {
    source: Source,
    #[serde(default)]
    layers: BTreeMap<String, Vec<Vec<Layer>>>,
}

#[derive(Deserialize)]
struct Source {
    locations: BTreeMap<String, Locations>,
}

#[derive(Deserialize, Default)]
struct Locations {
    #[serde(default)]
    locations: Vec<Location>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default)]
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Deserialize)]
struct Position {
    line: u32,
}

#[derive(Deserialize)]
struct Layer {
    digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "source": { "locations": {
            "step0": { "locations": [{ "ranges": [{ "start": { "line": 1 }, "end": { "line": 1 } }] }] },
            "step1": { "locations": [
                { "ranges": [
                    { "start": { "line": 3 }, "end": { "line": 3 } },
                    { "start": { "line": 4 }, "end": { "line": 5 } }
                ] },
                { "ranges": [{ "start": { "line": 9 }, "end": { "line": 9 } }] }
            ] },
            "step2": { "locations": [{ "ranges": [{ "start": { "line": 6 }, "end": { "line": 6 } }] }] },
            "step3": {}
        } },
        "layers": {
            "step0:0": [[{ "digest": "sha256:aa" }]],
            "step1:0": [[{ "digest": "sha256:aa" }, { "digest": "sha256:bb" }]],
            "step2:0": [[{ "digest": "sha256:aa" }, { "digest": "sha256:bb" }, { "digest": "sha256:bb" }], []]
        }
    }"#;
    const STEPS: &str = r#"{"llbDefinition":[{"id":"step0","op":{"Op":{"source":{}}}},{"id":"step1","op":{"Op":{}}}]}"#;

    fn lines(first: u32, last: u32) -> Lines {
        Lines { first, last }
    }

    #[test]
    fn equal_layers_are_told_apart_by_those_below() {
        let old = format!(
            r#"{{"predicate":{{"buildConfig":{STEPS},"metadata":{{"https://mobyproject.org/buildkit@v1#metadata":{METADATA}}}}}}}"#
        );
        let new = format!(
            r#"{{"predicate":{{"buildDefinition":{{"internalParameters":{{"buildConfig":{STEPS}}}}},
                "runDetails":{{"metadata":{{"buildkit_metadata":{METADATA}}}}}}}}}"#
        );
        let expected = [vec![], vec![lines(3, 5), lines(9, 9)], vec![lines(6, 6)]];
        for text in [old, new] {
            let provenance = Provenance::parse(text.as_bytes()).unwrap();
            let blobs = ["aa", "bb", "bb"].map(|name| format!("blobs/sha256/{name}"));
            let blobs = blobs.each_ref().map(|path| (path.as_str(), None));
            assert_eq!(provenance.places(&blobs), expected);
            let archives = ["sha256:aa", "sha256:bb", "sha256:bb"];
            let archives = archives.map(|diff_id| ("elsewhere", Some(diff_id)));
            assert_eq!(provenance.places(&archives), expected);
            // On other layers it may be either of the equal ones.
            assert_eq!(provenance.places(&archives[2..])[0].len(), 3);
            assert_eq!(provenance.places(&archives[1..]), [vec![], vec![]]);
        }
    }

    fn step(layer: Option<usize>, lines: Option<Lines>) -> Step {
        Step {
            created_by: String::new(),
            comment: String::new(),
            created: None,
            layer,
            lines,
        }
    }

    #[test]
    fn the_history_chooses_among_places_and_is_dropped_where_it_errs() {
        let places = [vec![lines(2, 4), lines(7, 7)], vec![lines(9, 9)]];
        let mut steps = [
            step(Some(0), Some(lines(7, 7))),
            step(None, Some(lines(8, 8))),
            step(Some(1), Some(lines(9, 9))),
        ];
        place(&places, &mut steps);
        let placed: Vec<_> = steps.iter().map(|step| step.lines.unwrap().first).collect();
        assert_eq!(placed, [7, 8, 9]);
        steps[0].lines = Some(lines(5, 5));
        place(&places, &mut steps);
        let placed: Vec<_> = steps.iter().map(|step| step.lines).collect();
        assert_eq!(placed, [None, None, Some(lines(9, 9))]);
    }

    #[test]
    fn other_attestations_say_nothing() {
        assert_eq!(
            Provenance::parse(b"{\"predicate\":{\"packages\":[]}}"),
            None
        );
        assert_eq!(Provenance::parse(b"not JSON"), None);
    }
}
