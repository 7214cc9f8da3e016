//! BuildKit's provenance: which step of the build made which layer, and on which lines it stands. Only the kind that
//! `--provenance=mode=max` attaches says so.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::history::{Lines, Step};
use super::manifest::blob_path;

/// The lines that made each layer, by the path of its blob.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Provenance {
    lines: BTreeMap<String, Lines>,
}

impl Provenance {
    /// What an attestation says; `None` where it is of another kind, or says nothing of layers.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let statement: Statement = serde_json::from_slice(text).ok()?;
        let predicate = &statement.predicate;
        // SLSA 0.2, and 1.
        let metadata = predicate
            .pointer("/metadata/https:~1~1mobyproject.org~1buildkit@v1#metadata")
            .or_else(|| predicate.pointer("/runDetails/metadata/buildkit_metadata"))?;
        let metadata = Metadata::deserialize(metadata).ok()?;
        let mut lines = BTreeMap::new();
        for (output, chains) in &metadata.layers {
            let (step, _) = output.split_once(':').unwrap_or((output, ""));
            let Some(place) = metadata.source.lines_of(step) else {
                continue;
            };
            // Each chain lists the layers up to the one that the step made.
            for layer in chains.iter().filter_map(|chain| chain.last()) {
                if let Ok(path) = blob_path(&layer.digest) {
                    lines.insert(path, place);
                }
            }
        }
        (!lines.is_empty()).then_some(Self { lines })
    }

    /// Says on which lines the steps stand whose layers it knows.
    pub(super) fn place(&self, blobs: &[String], steps: &mut [Step]) {
        for step in steps {
            let blob = step.layer.and_then(|layer| blobs.get(layer));
            step.lines = blob.and_then(|blob| self.lines.get(blob)).copied();
        }
    }
}

impl Source {
    /// From the first line to the last of what a step was written as.
    fn lines_of(&self, step: &str) -> Option<Lines> {
        let places = &self.locations.get(step)?.locations;
        let ranges = || places.iter().flat_map(|place| &place.ranges);
        Some(Lines {
            first: ranges().map(|range| range.start.line).min()?,
            last: ranges().map(|range| range.end.line).max()?,
        })
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

    #[test]
    fn the_last_layer_of_a_chain_is_the_steps_own() {
        let metadata = r#"{
            "source": { "locations": { "step1": { "locations": [
                { "ranges": [{ "start": { "line": 3 }, "end": { "line": 5 } }] }
            ] }, "step2": {} } },
            "layers": { "step1:0": [[{ "digest": "sha256:aa" }, { "digest": "sha256:bb" }]] }
        }"#;
        let old = format!(
            r#"{{"predicate":{{"metadata":{{"https://mobyproject.org/buildkit@v1#metadata":{metadata}}}}}}}"#
        );
        let new = format!(
            r#"{{"predicate":{{"runDetails":{{"metadata":{{"buildkit_metadata":{metadata}}}}}}}}}"#
        );
        for text in [old, new] {
            let provenance = Provenance::parse(text.as_bytes()).unwrap();
            let lines = Lines { first: 3, last: 5 };
            let expected = [("blobs/sha256/bb".to_owned(), lines)];
            assert_eq!(provenance.lines, expected.into());
        }
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
