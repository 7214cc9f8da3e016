//! Archives that are damaged, or made to do harm: each is read, or refused with a reason.

use proptest::prelude::*;

use super::super::{limits, read_layout};
use super::*;

fn image() -> Vec<u8> {
    saved(&[
        Archive::of(&[("a", "aaa"), ("b => a", ""), ("c -> a", "")]),
        gzip(&Archive::of(&[(".wh.a", ""), ("d/", ""), ("d/e", "e")])),
    ])
}

#[test]
fn what_is_no_image_is_refused() {
    let check = |bytes: &[u8], expected: &str| {
        let error = error(bytes, &Choice::default());
        assert!(error.contains(expected), "{error}");
    };
    check(b"", "no tar archive");
    check(b"FROM debian\n", "no tar archive");
    check(b"{}", "no archive");
    check(
        &Archive::of(&[("a", "a")]),
        "there is no `manifest.json` and no `index.json`",
    );
    check(
        &Archive::of(&[("manifest.json", "{}")]),
        "`manifest.json`: is not what it should be",
    );
    check(&Archive::of(&[("index.json", "{}")]), "holds no such image");
    let nowhere = r#"[{"Config":"c","Layers":[]}]"#;
    check(
        &Archive::of(&[("manifest.json", nowhere)]),
        "its configuration `c` is missing",
    );
}

#[test]
fn layers_that_cannot_be_read_are_named() {
    let config = json!({ "os": "linux", "architecture": "amd64" }).to_string();
    let with = |layer: Option<&[u8]>| {
        let manifest = json!([{ "Config": "c", "Layers": ["l"] }]).to_string();
        let mut archive = Archive::new().file("c", config.as_bytes());
        archive = archive.file("manifest.json", manifest.as_bytes());
        if let Some(layer) = layer {
            archive = archive.file("l", layer);
        }
        error(&archive.done(), &Choice::default())
    };
    assert_eq!(
        with(None),
        "`l`: this layer is missing: the archive is cut off"
    );
    assert_eq!(with(Some(b"BZh91AY")), "`l`: is compressed with bzip2");
    assert_eq!(with(Some(b"\xfd7zXZ\0")), "`l`: is compressed with xz");
    assert_eq!(with(Some(b"nonsense")), "`l`: is no tar archive");
    let cut = &gzip(&Archive::of(&[("a", "a")]))[..40];
    assert_eq!(
        with(Some(cut)),
        "`l`: ends too early: the archive is cut off"
    );
}

#[test]
fn an_archive_that_is_cut_off_is_refused_wherever_it_ends() {
    let whole = image();
    let end = whole.len() - 1024;
    for length in (0..end).step_by(97).chain([end - 512, end - 1024]) {
        assert!(
            read_archive(&whole[..length], &Choice::default()).is_err(),
            "{length}"
        );
    }
}

#[test]
fn names_that_lead_out_stay_inside() {
    let layer = Archive::new()
        .member(b"../../etc/passwd", b"", EntryType::Regular, b"12345")
        .member(b"/etc/shadow", b"", EntryType::Regular, b"1234")
        .member(b"a", b"../../../etc/passwd", EntryType::Link, b"");
    let analysis = analyze(&[layer.done()]);
    let files: Vec<_> = analysis
        .largest_files
        .iter()
        .map(|row| row.path.as_str())
        .collect();
    assert_eq!(files, ["/etc/passwd", "/etc/shadow"]);
}

#[test]
fn blobs_are_looked_for_in_the_layout_only() {
    for digest in [
        "sha256:../../etc/passwd",
        "../x:1",
        "sha256",
        "sha256:",
        ":a",
        "sha256:a/b",
    ] {
        let layout = Layout::default().index(&[json!({ "digest": digest })]);
        let error = read_layout(&layout, &Choice::default())
            .unwrap_err()
            .to_string();
        assert_eq!(error, format!("`{digest}` is no digest"));
    }
}

#[test]
fn an_index_that_leads_to_itself_ends() {
    let mut layout = Layout::default();
    layout.blob(json!({ "manifests": [{ "digest": "sha256:0000" }] }).to_string());
    let layout = layout.index(&[json!({ "digest": "sha256:0000" })]);
    let error = read_layout(&layout, &Choice::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than 1,000 manifests"), "{error}");
}

#[test]
fn headers_are_bounded() {
    let check = |archive: Archive, expected: &str| {
        let error = error(&saved(&[archive.done()]), &Choice::default());
        assert!(error.contains(expected), "{error}");
    };
    let much = vec![b'a'; limits::HEADER as usize + 1];
    for kind in [
        EntryType::XHeader,
        EntryType::GNULongName,
        EntryType::XGlobalHeader,
    ] {
        check(
            Archive::new().member(b"x", b"", kind, &much),
            "larger than 1 MiB",
        );
    }
    let long = vec![b'a'; limits::PATH + 1];
    let long = Archive::new().member(b"x", b"", EntryType::GNULongName, &long);
    check(long.file("a", b""), "longer than 4096 bytes");
    // A header may claim to be larger than the archive is.
    let mut claims = Archive::of(&[("a", "")]);
    claims[124..136].copy_from_slice(b"777777777777");
    let sum: u32 = (0..512)
        .map(|at| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(claims[at])
            }
        })
        .sum();
    claims[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let error = error(&saved(&[claims]), &Choice::default());
    assert!(error.contains("cut off"), "{error}");
}

#[test]
fn deep_folders_need_no_stack() {
    let mut archive = Archive::new();
    let deep = "d/".repeat(2000);
    archive = archive.member(b"x", b"", EntryType::GNULongName, deep.as_bytes());
    archive = archive.file("d", b"content");
    let analysis = analyze(&[archive.done(), Archive::of(&[(".wh.d", "")])]);
    assert_eq!(analysis.layers.len(), 2);
    assert_eq!(analysis.platform, "linux/amd64");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_never_panics(at in 0..7000_usize, bytes in prop::collection::vec(any::<u8>(), 1..40)) {
        let mut archive = image();
        for (offset, byte) in bytes.into_iter().enumerate() {
            let at = (at + offset) % archive.len();
            archive[at] = byte;
        }
        if let Ok(image) = read_archive(&archive[..], &Choice::default()) {
            let analysis = image.analyze();
            prop_assert!((0.0..=1.0).contains(&analysis.efficiency));
        }
    }
}
