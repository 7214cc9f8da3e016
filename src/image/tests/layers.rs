//! What layers do to each other.

use super::super::{Changes, WasteKind};
use super::*;

/// Rows of waste as text: `1 deleted by 2: 3 bytes in 1`.
fn waste(analysis: &Analysis) -> Vec<String> {
    let kind = |kind: WasteKind| {
        serde_json::to_value(kind)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    let row = |row: &super::super::WasteRow| {
        let kind = kind(row.kind);
        format!(
            "{} {kind} by {}: {} bytes in {}",
            row.layer, row.by, row.bytes, row.files
        )
    };
    let mut rows: Vec<String> = analysis.waste.iter().map(row).collect();
    rows.sort();
    rows
}

fn changes(analysis: &Analysis) -> Vec<(u64, u64, u64)> {
    let counts = |changes: Changes| (changes.added, changes.changed, changes.removed);
    analysis
        .layers
        .iter()
        .map(|layer| counts(layer.changes))
        .collect()
}

#[test]
fn files_are_added_changed_and_removed() {
    let analysis = analyze(&[
        Archive::of(&[
            ("etc/", ""),
            ("etc/a", "aaa"),
            ("etc/b", "bbbb"),
            ("etc/c", "ccccc"),
        ]),
        Archive::of(&[
            ("etc/", ""),
            ("etc/a", "AA"),
            ("etc/b", "bbbb"),
            ("etc/.wh.c", ""),
            ("etc/d", "d"),
        ]),
    ]);
    assert_eq!(changes(&analysis), [(3, 0, 0), (1, 2, 1)]);
    let expected = [
        "1 deleted by 2: 5 bytes in 1",
        "1 overwritten by 2: 3 bytes in 1",
        "1 rewritten by 2: 4 bytes in 1",
    ];
    assert_eq!(waste(&analysis), expected);
    assert_eq!((analysis.size, analysis.wasted), (12 + 7, 12));
    assert_eq!(
        (analysis.layers[0].wasted, analysis.layers[1].wastes),
        (12, 12)
    );
    // The smallest of each path over all that was written: 2 + 4 + 0 + 1 of 19.
    assert_eq!(analysis.efficiency, 7.0 / 19.0);
}

#[test]
fn a_folder_that_is_made_anew_loses_what_is_not_put_back() {
    let first = Archive::of(&[
        ("app/lib/", ""),
        ("app/lib/x", "xx"),
        ("app/lib/y", "yyy"),
        ("app/z", "z"),
    ]);
    for second in [
        // The mark may come behind what is put back.
        Archive::of(&[
            ("app/lib/", ""),
            ("app/lib/x", "XX"),
            ("app/lib/.wh..wh..opq", ""),
        ]),
        Archive::of(&[
            ("app/lib/.wh..wh..opq", ""),
            ("app/lib/", ""),
            ("app/lib/x", "XX"),
        ]),
        Archive::of(&[("app/.wh.lib", ""), ("app/lib/", ""), ("app/lib/x", "XX")]),
    ] {
        let analysis = analyze(&[first.clone(), second]);
        assert_eq!(changes(&analysis), [(3, 0, 0), (0, 1, 1)]);
        let expected = [
            "1 deleted by 2: 3 bytes in 1",
            "1 overwritten by 2: 2 bytes in 1",
        ];
        assert_eq!(waste(&analysis), expected);
    }
}

#[test]
fn a_folder_goes_with_all_that_is_in_it() {
    let first = Archive::of(&[("a/", ""), ("a/b/", ""), ("a/b/c", "ccc"), ("a/d", "dd")]);
    let deleted = analyze(&[first.clone(), Archive::of(&[(".wh.a", "")])]);
    assert_eq!(waste(&deleted), ["1 deleted by 2: 5 bytes in 2"]);
    assert_eq!(changes(&deleted), [(2, 0, 0), (0, 0, 2)]);
    assert_eq!(deleted.efficiency, 0.0);
    let replaced = analyze(&[first.clone(), Archive::of(&[("a", "now a file")])]);
    assert_eq!(waste(&replaced), ["1 deleted by 2: 5 bytes in 2"]);
    let kept = analyze(&[first, Archive::of(&[("a/", "")])]);
    assert!(kept.waste.is_empty());
}

#[test]
fn a_file_lives_as_long_as_one_of_its_names() {
    let first = Archive::of(&[("a", "aaaa"), ("b => a", ""), ("c -> a", "")]);
    let one = analyze(&[first.clone(), Archive::of(&[(".wh.a", "")])]);
    assert!(one.waste.is_empty(), "{:?}", one.waste);
    let both = analyze(&[
        first,
        Archive::of(&[(".wh.a", "")]),
        Archive::of(&[(".wh.b", "")]),
    ]);
    assert_eq!(waste(&both), ["1 deleted by 3: 4 bytes in 1"]);
    assert_eq!(both.size, 4);
}

#[test]
fn contents_that_are_there_twice_are_counted_apart() {
    let analysis = analyze(&[
        Archive::of(&[
            ("a", "same"),
            ("b", "same"),
            ("empty", ""),
            ("empty too", ""),
        ]),
        Archive::of(&[("c", "same"), ("d", "else")]),
    ]);
    assert_eq!((analysis.duplicated, analysis.wasted), (8, 0));
    let by_layer: Vec<u64> = analysis
        .layers
        .iter()
        .map(|layer| layer.duplicated)
        .collect();
    assert_eq!(by_layer, [4, 4]);
    let [row] = analysis.duplicates.as_slice() else {
        panic!("{:?}", analysis.duplicates);
    };
    let copies: Vec<_> = row
        .copies
        .iter()
        .map(|one| (one.path.as_str(), one.layer))
        .collect();
    assert_eq!(copies, [("/a", 1), ("/b", 1), ("/c", 2)]);
    assert_eq!((row.bytes, row.wasted, row.count), (4, 8, 3));
}

#[test]
fn the_largest_are_named() {
    let analysis = analyze(&[
        Archive::of(&[
            ("usr/lib/a/big", "123456789"),
            ("usr/bin/b", "123"),
            ("gone", "1234"),
        ]),
        Archive::of(&[(".wh.gone", "")]),
    ]);
    let files: Vec<_> = analysis
        .largest_files
        .iter()
        .map(|row| row.path.as_str())
        .collect();
    assert_eq!(files, ["/usr/lib/a/big", "/usr/bin/b"]);
    // `/usr/lib` is nothing but `/usr/lib/a`.
    let folders: Vec<_> = analysis
        .largest_folders
        .iter()
        .map(|row| (row.path.as_str(), row.bytes))
        .collect();
    assert_eq!(folders, [("/usr", 12), ("/usr/lib/a", 9), ("/usr/bin", 3)]);
    let names: Vec<_> = analysis
        .tree
        .children
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!((analysis.tree.bytes, names), (12, vec!["usr"]));
}

#[test]
fn compression_changes_nothing_but_the_sizes() {
    let layer = Archive::of(&[("a", "aaa"), ("b", "bb")]);
    let plain = analyze(std::slice::from_ref(&layer));
    assert_eq!(
        (plain.compressed, plain.archives),
        (None, layer.len() as u64)
    );
    for packed in [gzip(&layer), zstd(&layer)] {
        let analysis = analyze(std::slice::from_ref(&packed));
        assert_eq!(analysis.compressed, Some(packed.len() as u64));
        assert_eq!((analysis.size, analysis.archives), (5, layer.len() as u64));
        assert_eq!(changes(&analysis), changes(&plain));
    }
    let whole = gzip(&saved(&[layer]));
    assert_eq!(read(&whole).analyze().size, 5);
}

#[test]
fn what_can_be_won_back_is_told_by_path_and_fate() {
    let analysis = analyze(&[
        Archive::of(&[
            ("var/lib/apt/lists/x", "12345"),
            ("app/a", "1234"),
            ("app/b", "123"),
        ]),
        Archive::of(&[("app/.wh.a", ""), ("app/b", "123"), ("root/.npm/x", "12")]),
    ]);
    let row = |row: &super::super::SavingRow| {
        (
            row.rules.join(" "),
            row.bytes,
            row.layers.keys().copied().collect::<Vec<_>>(),
        )
    };
    let rows: Vec<_> = analysis.savings.iter().map(row).collect();
    let expected = [
        ("apt-lists".to_owned(), 5, vec![0]),
        ("join-cleanup".to_owned(), 4, vec![0]),
        ("copy-chmod copy-chown".to_owned(), 3, vec![0]),
        ("npm-cache".to_owned(), 2, vec![1]),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn special_files_have_no_bytes() {
    let archive = Archive::new()
        .member(b"dev/null", b"", EntryType::Char, b"")
        .member(b"pipe", b"", EntryType::Fifo, b"")
        .file("a", b"a");
    let analysis = analyze(&[archive.done()]);
    assert_eq!((analysis.size, changes(&analysis)), (1, vec![(3, 0, 0)]));
}

#[test]
fn long_names_are_whole() {
    let long = format!("{}/file", "d".repeat(150));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(3);
    header.set_cksum();
    builder
        .append_data(&mut header, &long, &b"gnu"[..])
        .unwrap();
    let pax = format!("{} path=pax/{long}\n", 14 + long.len());
    let pax = Archive(builder).member(b"pax", b"", EntryType::XHeader, pax.as_bytes());
    let analysis = analyze(&[pax.file("short", b"paxs").done()]);
    let files: Vec<_> = analysis
        .largest_files
        .iter()
        .map(|row| row.path.clone())
        .collect();
    assert_eq!(files, [format!("/pax/{long}"), format!("/{long}")]);
}

#[test]
fn sparse_files_have_their_full_size() {
    // One block of data at 1 MiB, its map continued in a block behind the header.
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(512);
    header.as_old_mut().name[..6].copy_from_slice(b"sparse");
    let gnu = header.as_gnu_mut().unwrap();
    gnu.realsize[..11].copy_from_slice(b"00004001000");
    gnu.isextended[0] = 1;
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0; 512]);
    bytes.extend([7; 512]);
    bytes.extend(Archive::of(&[("after", "a")]));
    let analysis = analyze(&[bytes]);
    assert_eq!(analysis.size, (1 << 20) + 512 + 1);
    assert_eq!(analysis.largest_files[0].path, "/sparse");
}
