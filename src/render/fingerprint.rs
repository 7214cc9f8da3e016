//! What a finding is known by from one run to the next: its rule, its file and the text that it is about, never its line.

use std::collections::HashMap;
use std::path::Path;

use super::document::Problem;
use crate::report::Report;

/// One fingerprint for each finding of the report, all different: 32 hexadecimal digits.
///
/// Space in the text does not count, so that a finding survives another indentation. Of findings that say the same of
/// the same text, the second one in the file is known as the second.
pub(super) fn of(report: &Report, place: &Path) -> Vec<String> {
    let mut seen: HashMap<[u8; 32], u32> = HashMap::new();
    let findings = report.findings.iter().map(|finding| {
        let text = finding.span.of(&report.source.text);
        let words = text.split(u8::is_ascii_whitespace);
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        let path = place.as_os_str().as_encoded_bytes();
        let same = hash(&[finding.rule.as_bytes(), path, &words.join(&b' ')]);
        let before = seen.entry(*same.as_bytes()).or_default();
        *before += 1;
        let all = hash(&[same.as_bytes(), &before.to_le_bytes()]);
        all.to_hex()[..32].to_owned()
    });
    findings.collect()
}

/// The fingerprint of what is no finding: a path, and what is wrong with it. Not its line, as above; of two problems
/// that read the same, one is enough.
pub(super) fn of_problem(problem: &Problem) -> String {
    let path = problem.place.as_os_str().as_encoded_bytes();
    let all = hash(&[b"", path, problem.message.as_bytes()]);
    all.to_hex()[..32].to_owned()
}

fn hash(parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}
