//! The parser against real Dockerfiles: the folder `DOCKEROPT_CORPUS`, with BuildKit's verdicts in the table
//! `DOCKEROPT_CORPUS_VERDICTS`. Skipped where they are not named: third-party files are not part of the repository.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::view::{View, view};

/// A folder with as many files as this must be compared nearly whole.
const FULL_CORPUS: usize = 48_000;

/// The Dockerfiles of the corpus, in order of name; `None`, with a message, where no corpus is named.
pub(crate) fn corpus() -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os("DOCKEROPT_CORPUS") else {
        println!("skipped: DOCKEROPT_CORPUS names no folder");
        return None;
    };
    let entries = fs::read_dir(&folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|ending| ending == "Dockerfile")
    });
    files.sort();
    Some(files)
}

#[test]
fn corpus_agrees_with_buildkit() {
    let Some(files) = corpus() else { return };
    let Some(table) = std::env::var_os("DOCKEROPT_CORPUS_VERDICTS") else {
        println!("skipped: DOCKEROPT_CORPUS_VERDICTS names no table");
        return;
    };
    let table = read_table(Path::new(&table));
    let verdicts = verdicts(&table);
    let compared: Vec<Option<Disagreement>> = files
        .par_iter()
        .filter_map(|path| Some(compare(path, verdicts.get(path.file_stem()?.to_str()?)?)))
        .collect();
    let count = compared.len();
    let disagreements: Vec<Disagreement> = compared.into_iter().flatten().collect();
    println!(
        "{} of {count} files agree with BuildKit ({} files in the folder, {} rows in the table)",
        count - disagreements.len(),
        files.len(),
        verdicts.len()
    );
    for one in disagreements.iter().take(40) {
        println!("  {}: {}", one.path.display(), one.what);
    }
    assert!(disagreements.is_empty());
    assert!(files.len() < FULL_CORPUS || count >= FULL_CORPUS);
}

struct Disagreement {
    path: PathBuf,
    what: String,
}

/// What the table says of each file: the instructions, or `reject`.
fn verdicts(table: &str) -> HashMap<&str, &str> {
    let row = |line| {
        let (name, verdict): (&str, &str) = str::split_once(line, '\t').unwrap();
        (name, verdict.trim_start_matches("ok\t"))
    };
    table.lines().map(row).collect()
}

/// The table, unpacked where it is compressed with xz.
fn read_table(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(b"\xfd7zXZ") {
        return String::from_utf8(bytes).unwrap();
    }
    let mut table = Vec::new();
    lzma_rs::xz_decompress(&mut bytes.as_slice(), &mut table).unwrap();
    String::from_utf8(table).unwrap()
}

fn compare(path: &Path, verdict: &str) -> Option<Disagreement> {
    let text = fs::read(path).unwrap();
    let what = std::panic::catch_unwind(|| difference(verdict, &view(&text)))
        .unwrap_or_else(|_| Some("panics".to_owned()))?;
    let path = path.to_owned();
    Some(Disagreement { path, what })
}

fn difference(verdict: &str, view: &View) -> Option<String> {
    if verdict == "reject" || !view.accepted {
        let same = (verdict == "reject") != view.accepted;
        let ours = format!("we accept: {}, BuildKit says: {verdict:.60}", view.accepted);
        return (!same).then_some(ours);
    }
    let ours: Vec<String> = view
        .instructions
        .iter()
        .map(|one| one.fingerprint())
        .collect();
    let theirs: Vec<&str> = verdict.split(' ').collect();
    let same = |(ours, theirs): &(&String, &&str)| ours.as_str() == **theirs;
    match ours.iter().zip(&theirs).find(|pair| !same(pair)) {
        Some((ours, theirs)) => Some(format!("{ours}, BuildKit says {theirs}")),
        None if ours.len() != theirs.len() => Some(format!(
            "{} instructions, BuildKit sees {}",
            ours.len(),
            theirs.len()
        )),
        None => None,
    }
}
