//! `fix --write --unsafe`, twice, over the folder `DOCKEROPT_CORPUS`: what it damages (nothing), what the rules did, and
//! how long it took. Skipped where no corpus is named. The most telling run that there is:
//!
//! ```text
//! DOCKEROPT_CORPUS=… cargo test --release --test suite corpus_fix -- --nocapture
//! ```
//!
//! `DOCKEROPT_CORPUS_RULES=a,b` runs these rules only; `DOCKEROPT_CORPUS_EVERY=10` takes each tenth file;
//! `DOCKEROPT_CORPUS_DIFFS=folder` writes the diff of each changed file there, for reading.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dockeropt::chain::Chain;
use dockeropt::context::NoContext;
use dockeropt::report::{Finding, Report};
use dockeropt::rule::Applicability;

use crate::corpus::corpus;
use crate::diff::unified;
use crate::invariants::{Damage, damages};
use crate::run::{chain_of_rules, default_chain, run};
use rayon::prelude::*;

/// How many offenders of each kind are printed.
const SHOWN: usize = 10;

/// How many reasons to decline are printed for each rule.
const REASONS: usize = 5;

#[test]
fn corpus_fix_damages_nothing() {
    let Some(mut files) = corpus() else { return };
    if let Some(every) = setting("DOCKEROPT_CORPUS_EVERY") {
        files = files.into_iter().step_by(every.parse().unwrap()).collect();
    }
    let chain = match setting("DOCKEROPT_CORPUS_RULES") {
        Some(ids) => chain_of_rules(&ids.split(',').collect::<Vec<_>>()),
        None => default_chain(),
    };
    let texts: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    let (start, cpu) = (Instant::now(), cpu_time());
    let reports: Vec<Option<Report>> = texts.par_iter().map(|text| fixed(&chain, text)).collect();
    let taken = (
        start.elapsed(),
        cpu.zip(cpu_time()).map(|(before, after)| after - before),
    );
    let outcomes: Vec<(PathBuf, Option<Report>)> = files.into_iter().zip(reports).collect();

    print_speed(outcomes.len(), taken);
    print_rules(&chain, &outcomes);
    write_diffs(&outcomes);
    let damaged = all_damages(&chain, &outcomes);
    print_damages(&damaged);
    assert!(damaged.is_empty(), "{} damages", damaged.len());
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The report, or `None` where the run panics.
fn fixed(chain: &Chain, text: &[u8]) -> Option<Report> {
    catch_unwind(AssertUnwindSafe(|| run(chain, &NoContext, text))).ok()
}

type Damaged = Vec<(PathBuf, Damage, String)>;

fn all_damages(chain: &Chain, outcomes: &[(PathBuf, Option<Report>)]) -> Damaged {
    let per_file = outcomes.par_iter().flat_map(|(path, report)| {
        let found = match report {
            Some(report) => damages_of(chain, report),
            None => vec![(Damage::Panic, String::new())],
        };
        let named = found
            .into_iter()
            .map(|(damage, evidence)| (path.clone(), damage, evidence));
        named.collect::<Vec<_>>()
    });
    per_file.collect()
}

fn damages_of(chain: &Chain, report: &Report) -> Vec<(Damage, String)> {
    if !report.is_changed() {
        return damages(report, &report.output);
    }
    let Some(again) = fixed(chain, &report.output) else {
        return vec![(Damage::Panic, "in the second run".to_owned())];
    };
    damages(report, &again.output)
}

fn print_damages(damaged: &Damaged) {
    println!("\ndamages");
    for kind in Damage::ALL {
        let all: Vec<_> = damaged
            .iter()
            .filter(|(_, damage, _)| *damage == kind)
            .collect();
        println!("{:7} {kind:?}", all.len());
        for (path, _, evidence) in all.iter().take(SHOWN) {
            let line: String = evidence.replace('\n', "⏎").chars().take(160).collect();
            println!("        {} {line}", path.display());
        }
    }
}

/// What each rule did: files and places, most frequent reasons to decline.
fn print_rules(chain: &Chain, outcomes: &[(PathBuf, Option<Report>)]) {
    let reports: Vec<&Report> = outcomes
        .iter()
        .filter_map(|(_, report)| report.as_ref())
        .collect();
    let refused = reports
        .iter()
        .filter(|report| !report.refused.is_empty())
        .count();
    let changed = reports.iter().filter(|report| report.is_changed()).count();
    let is_safe = |one: &Finding| {
        let fix = one.fix.as_ref();
        fix.is_some_and(|fix| fix.applicability == Applicability::Safe)
    };
    let safe = reports
        .iter()
        .filter(|report| report.findings.iter().any(is_safe))
        .count();
    println!(
        "{} files: {refused} refused by BuildKit, {changed} changed, {safe} ({:.1} %) with a safe fix",
        outcomes.len(),
        100.0 * safe as f64 / outcomes.len().max(1) as f64
    );
    for rule in chain.rules() {
        let is_ours = |id: &str| id == rule.id;
        let findings = || {
            reports
                .iter()
                .flat_map(|report| &report.findings)
                .filter(|one| is_ours(&one.rule))
        };
        let applied = findings().filter(|one| one.applied).count();
        let files = reports
            .iter()
            .filter(|report| report.findings.iter().any(|one| is_ours(&one.rule)));
        let left_alone = reports
            .iter()
            .filter(|report| report.declined.iter().any(|one| is_ours(&one.rule)));
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let declines = reports.iter().flat_map(|report| &report.declined);
        for decline in declines.filter(|one| is_ours(&one.rule)) {
            *reasons.entry(generic(&decline.reason)).or_default() += 1;
        }
        println!(
            "\n{}: {} findings in {} files, {applied} applied; {} declined in {} files",
            rule.id,
            findings().count(),
            files.count(),
            reasons.values().sum::<usize>(),
            left_alone.count()
        );
        let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (reason, count) in reasons.iter().take(REASONS) {
            println!("{count:7} {reason}");
        }
    }
}

/// A reason without the names in it, so that like is counted with like.
fn generic(reason: &str) -> String {
    let parts = reason.split('`').enumerate();
    let parts: Vec<&str> = parts
        .map(|(at, part)| if at % 2 == 1 { "…" } else { part })
        .collect();
    parts.join("`")
}

fn print_speed(files: usize, (wall, cpu): (Duration, Option<Duration>)) {
    println!("{files} files in {:.1} s", wall.as_secs_f64());
    if let Some(cpu) = cpu {
        let rate = files as f64 / cpu.as_secs_f64().max(0.01);
        println!(
            "{:.1} s of CPU time, {rate:.0} files a CPU second",
            cpu.as_secs_f64()
        );
    }
}

fn write_diffs(outcomes: &[(PathBuf, Option<Report>)]) {
    let Some(folder) = setting("DOCKEROPT_CORPUS_DIFFS") else {
        return;
    };
    fs::create_dir_all(&folder).unwrap();
    for (path, report) in outcomes {
        let Some(report) = report.as_ref().filter(|report| report.is_changed()) else {
            continue;
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let diff = unified(&report.source.text, &report.output);
        fs::write(Path::new(&folder).join(format!("{name}.diff")), diff).unwrap();
    }
}

/// User and system time of this process without its children; `None` where the system does not say.
fn cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
