//! How fast Dockerfiles are read and rewritten: those of the project's cases, or of the folder that `DOCKERFILES` names.
//!
//! `cargo bench --bench chain`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use dockeropt::chain::{Build, Chain, optimize};
use dockeropt::config::Config;
use dockeropt::context::NoContext;
use dockeropt::model::{Model, ModelInput};
use dockeropt::rule::{self, Applicability};
use dockeropt::syntax::{Dockerfile, shell};
use dockeropt::text::Source;

fn main() {
    divan::main();
}

static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let cases = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let root = std::env::var_os("DOCKERFILES").map_or_else(cases, PathBuf::from);
    let mut texts = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            match path.is_dir() {
                true => folders.push(path),
                false if name.to_string_lossy().contains("Dockerfile") => {
                    texts.extend(fs::read(path));
                }
                false => {}
            }
        }
    }
    texts
});

static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
    let rules = Config::default().apply(rule::builtin().to_vec());
    Chain::new(rules.expect("the rules")).expect("the chain")
});

/// Runs `work` over all files, and says what that comes to in bytes and in files.
fn over_all<T>(bencher: Bencher<'_, '_>, work: impl Fn(&[u8]) -> T + Sync) {
    let bytes: usize = FILES.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .counter(ItemsCount::new(FILES.len()))
        .bench(|| {
            for text in FILES.iter() {
                divan::black_box(work(text));
            }
        });
}

/// The tree alone.
#[divan::bench(sample_count = 20)]
fn parse(bencher: Bencher<'_, '_>) {
    over_all(bencher, Dockerfile::parse);
}

/// The tree, and what its shell forms say.
#[divan::bench(sample_count = 10)]
fn parse_with_shell(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| {
        let file = Dockerfile::parse(text);
        let scripts = file.instructions();
        let scripts = scripts.filter_map(|one| shell::parse(&shell::text_of(one, text)?));
        scripts.count()
    });
}

/// The tree, and what it means: stages, and the state before each step.
#[divan::bench(sample_count = 20)]
fn model(bencher: Bencher<'_, '_>) {
    let input = ModelInput::default();
    over_all(bencher, |text| {
        Model::of(&Dockerfile::parse(text), text, &input)
            .stages
            .len()
    });
}

/// All rules of the default chain, until nothing changes any more, each change checked by the guard.
#[divan::bench(sample_count = 5)]
fn whole_chain(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| {
        let source = Source {
            path: "Dockerfile".into(),
            text: text.to_vec(),
        };
        optimize(&CHAIN, &Build::of(&NoContext), source, Applicability::Safe)
    });
}
