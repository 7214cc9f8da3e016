//! Which image of an archive or layout is read.

use super::super::{Lines, read_layout};
use super::*;

fn named(name: &str) -> Choice {
    Choice {
        name: Some(name.to_owned()),
        platform: None,
    }
}

fn on(platform: &str) -> Choice {
    Choice {
        name: None,
        platform: Some(platform.to_owned()),
    }
}

#[test]
fn a_layout_is_the_same_as_folder_and_archive() {
    let mut layout = Layout::default();
    let layers = [
        Archive::of(&[("a", "aaa")]),
        gzip(&Archive::of(&[("b", "bb")])),
    ];
    let image = layout.image("amd64", &layers);
    let layout = layout.index(&[image]);
    let folder = read_layout(&layout, &Choice::default()).unwrap();
    let archive = read(&layout.archive());
    let [folder, archive] = [folder, archive].map(|image| image.analyze());
    assert_eq!(
        serde_json::to_value(&folder).unwrap(),
        serde_json::to_value(&archive).unwrap()
    );
    assert_eq!(folder.size, 5);
    // Only one of the layers is compressed.
    assert_eq!(folder.compressed, None);
    assert!(folder.layers[1].compressed.is_some());
}

#[test]
fn the_platform_is_chosen() {
    let mut layout = Layout::default();
    let one = layout.image("riscv64", &[Archive::of(&[("a", "a")])]);
    let two = layout.image("s390x", &[Archive::of(&[("a", "aa")])]);
    let inner = layout.blob(json!({ "manifests": [one, two] }).to_string());
    let archive = layout.index(&[json!({ "digest": inner })]).archive();
    let image = read_archive(&archive[..], &on("linux/s390x")).unwrap();
    assert_eq!(
        (image.platform.as_str(), image.analyze().size),
        ("linux/s390x", 2)
    );
    assert_eq!(
        error(&archive, &Choice::default()),
        "holds several images: choose one with `--platform`: there are `linux/riscv64`, `linux/s390x`"
    );
    assert!(error(&archive, &on("linux/arm")).starts_with("holds no such image"));
}

#[test]
fn the_name_is_chosen() {
    let config = json!({ "os": "linux", "architecture": "amd64" }).to_string();
    let manifest = json!([
        { "Config": "c.json", "RepoTags": ["one:latest"], "Layers": ["l"] },
        { "Config": "c.json", "RepoTags": ["registry/two:1"], "Layers": ["l", "l"] },
    ]);
    let archive = Archive::new()
        .file("l", &Archive::of(&[("a", "a")]))
        .file("c.json", config.as_bytes())
        .file("manifest.json", manifest.to_string().as_bytes())
        .done();
    let layers = |choice| read_archive(&archive[..], &choice).map(|image| image.layers.len());
    assert_eq!(layers(named("one")).unwrap(), 1);
    assert_eq!(layers(named("registry/two:1")).unwrap(), 2);
    assert_eq!(layers(named("two:1")).unwrap(), 2);
    assert_eq!(
        error(&archive, &Choice::default()),
        "holds several images: choose one with `--name`: there are `one:latest`, `registry/two:1`"
    );
}

#[test]
fn a_layer_that_is_used_twice_is_stored_once() {
    let config = json!({ "os": "linux", "architecture": "amd64" }).to_string();
    let manifest =
        json!([{ "Config": "c", "RepoTags": null, "Layers": ["1/layer.tar", "2/layer.tar"] }]);
    let archive = Archive::new()
        .file("1/layer.tar", &Archive::of(&[("a", "aa")]))
        .file("2/layer.tar -> ../1/layer.tar", b"")
        .file("c", config.as_bytes())
        .file("manifest.json", manifest.to_string().as_bytes())
        .done();
    let analysis = read(&archive).analyze();
    assert_eq!((analysis.size, analysis.wasted), (4, 2));
    assert_eq!(analysis.notes.len(), 1, "{:?}", analysis.notes);
}

#[test]
fn provenance_says_on_which_lines_a_layer_was_made() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[gzip(&Archive::of(&[("a", "a")]))]);
    // The blobs are numbered: the configuration is the first, the layer the second.
    let layer = "sha256:0001";
    let statement = json!({ "predicate": { "runDetails": { "metadata": { "buildkit_metadata": {
        "source": { "locations": { "step1": { "locations": [
            { "ranges": [{ "start": { "line": 4 }, "end": { "line": 6 } }] },
        ] } } },
        "layers": { "step1:0": [[{ "digest": layer }]] },
    } } } } });
    let statement = layout.blob(statement.to_string());
    let config = layout.blob("{}");
    let manifest = json!({ "config": { "digest": config }, "layers": [{ "digest": statement }] });
    let attestation = json!({
        "digest": layout.blob(manifest.to_string()),
        "platform": { "os": "unknown", "architecture": "unknown" },
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        },
    });
    let mut layout = layout.index(&[image, attestation]);
    let lines = |layout: &Layout| read(&layout.archive()).steps[0].lines;
    assert_eq!(lines(&layout), Some(Lines { first: 4, last: 6 }));
    // What an engine with an OCI store saves has its own list, too.
    let list = json!([{ "Config": "blobs/sha256/0000", "Layers": ["blobs/sha256/0001"] }]);
    let list = list.to_string().into_bytes();
    layout.files.insert("manifest.json".to_owned(), list);
    assert_eq!(lines(&layout), Some(Lines { first: 4, last: 6 }));
}
