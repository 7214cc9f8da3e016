//! Trivy, where it is installed: how many known vulnerabilities an image has.

use serde_json::Value;

use super::child;

/// How many vulnerabilities each image has: critical, high, medium, low, unknown.
///
/// # Errors
/// Why they cannot be counted, as one line.
pub fn severities(images: [&str; 2]) -> Result<[[usize; 5]; 2], String> {
    let [before, after] = images;
    Ok([counted(before)?, counted(after)?])
}

fn counted(image: &str) -> Result<[usize; 5], String> {
    let program = "trivy";
    let args = [
        "image",
        "--quiet",
        "--scanners",
        "vuln",
        "--format",
        "json",
        image,
    ];
    let ended = child::ask(program, &args).map_err(|stopped| match stopped {
        child::Stopped::Missing => {
            "trivy is not installed: vulnerabilities were not counted".to_owned()
        }
        other => other.error(program).to_string(),
    })?;
    if !ended.succeeded() {
        let said = ended.said();
        let last = said.lines().last().unwrap_or_default().to_owned();
        return Err(format!(
            "trivy failed, and vulnerabilities were not counted: {last}"
        ));
    }
    let report: Value = serde_json::from_slice(&ended.stdout)
        .map_err(|error| format!("trivy's report cannot be read: {error}"))?;
    Ok(count(&report))
}

fn count(report: &Value) -> [usize; 5] {
    const NAMES: [&str; 4] = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];
    let mut counts = [0; 5];
    let results = report["Results"].as_array().into_iter().flatten();
    let all = results.flat_map(|result| result["Vulnerabilities"].as_array().into_iter().flatten());
    for one in all {
        let severity = one["Severity"].as_str().unwrap_or_default();
        let known = NAMES.iter().position(|name| *name == severity);
        counts[known.unwrap_or(NAMES.len())] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vulnerabilities_are_counted_by_severity() {
        let report = serde_json::json!({"Results": [
            {"Target": "debian", "Vulnerabilities": [{"Severity": "HIGH"}, {"Severity": "LOW"}, {"Severity": "HIGH"}]},
            {"Target": "nothing"},
            {"Vulnerabilities": [{"Severity": "CRITICAL"}, {"Severity": "ODD"}]},
        ]});
        assert_eq!(count(&report), [1, 2, 0, 1, 1]);
        assert_eq!(count(&serde_json::json!({})), [0; 5]);
    }
}
