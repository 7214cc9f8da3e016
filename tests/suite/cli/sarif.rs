//! `check --format sarif`, read as a viewer would read it.

use std::fs;

use serde_json::Value;

use super::sandbox::{AFTER, BEFORE, GOOD, REFUSED, Sandbox};

fn run_of(sandbox: &Sandbox, args: &[&str], status: i32) -> Value {
    let args = [&["check", "--format=sarif"], args].concat();
    let log = sandbox.run(&args).ended(status).out;
    let mut log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["version"], "2.1.0");
    log["runs"][0].take()
}

fn results(run: &Value) -> &Vec<Value> {
    run["results"].as_array().unwrap()
}

fn result<'a>(run: &'a Value, rule: &str) -> &'a Value {
    let mut results = results(run).iter();
    let found = results.find(|result| result["ruleId"] == rule);
    found.unwrap_or_else(|| panic!("no result of {rule}: {run:#}"))
}

/// What a viewer makes of `text` that takes the fix of `result`.
fn with_fix(text: &str, result: &Value) -> String {
    let change = &result["fixes"][0]["artifactChanges"][0];
    let place = |region: &Value, of: &str| {
        let number = |name: String| region[name].as_u64().unwrap() as usize;
        offset(
            text,
            number(format!("{of}Line")),
            number(format!("{of}Column")),
        )
    };
    let mut after = text.to_owned();
    let replacements = change["replacements"].as_array().unwrap();
    for replacement in replacements.iter().rev() {
        let region = &replacement["deletedRegion"];
        let insert = replacement["insertedContent"]["text"].as_str();
        after.replace_range(
            place(region, "start")..place(region, "end"),
            insert.unwrap_or(""),
        );
    }
    after
}

/// The byte at a line and a column in UTF-16 code units; a byte order mark has none.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let mut units = 1;
    for (at, char) in text[start..].char_indices() {
        if char == '\u{feff}' && start + at == 0 {
            continue;
        }
        if units >= column {
            return start + at;
        }
        units += char.len_utf16();
    }
    text.len()
}

#[test]
fn findings_are_results_of_their_rules() {
    let sandbox = Sandbox::with(&[("my app/Dockerfile", BEFORE)]);
    let run = run_of(&sandbox, &[], 1);
    assert_eq!(results(&run).len(), 2);
    let safe = result(&run, "copy-not-add");
    assert_eq!(safe["level"], "warning");
    let place = &safe["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "my%20app/Dockerfile");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(result(&run, "apt-no-recommends")["level"], "note");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let described = |rule: &Value| {
        rule["help"]["text"]
            .as_str()
            .is_some_and(|text| text.len() > 80)
    };
    assert!(rules.iter().all(described), "{rules:#?}");
    for result in results(&run) {
        assert!(
            rules.iter().any(|rule| rule["id"] == result["ruleId"]),
            "{result:#}"
        );
    }
}

#[test]
fn a_fix_changes_what_fix_changes() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let run = run_of(&sandbox, &[], 1);
    assert_eq!(with_fix(BEFORE, result(&run, "copy-not-add")), AFTER);
    let other = with_fix(BEFORE, result(&run, "apt-no-recommends"));
    let expected = BEFORE.replace("install -y", "install -y --no-install-recommends");
    assert_eq!(other, expected);
}

/// Columns are UTF-16 code units, and a byte order mark is none.
#[test]
fn a_fix_behind_wide_characters_finds_its_place() {
    let before = "\u{feff}FROM debian:12-slim\r\nRUN echo '\u{1f600}é' && apt-get update && apt-get install -y tree\r\n";
    let sandbox = Sandbox::with(&[("Dockerfile", before)]);
    let run = run_of(&sandbox, &["--select=apt-lists"], 1);
    let fixed = sandbox.run(&["fix", "--write", "--select=apt-lists"]);
    assert_eq!(fixed.status, 0);
    assert_eq!(
        with_fix(before, result(&run, "apt-lists")),
        sandbox.text("Dockerfile")
    );
}

/// `apt` becomes `apt-get` first: what a fix writes beside that, or there, is no change of the text that was read.
#[test]
fn a_fix_is_of_the_text_that_was_read() {
    let before = "FROM debian:12-slim\nRUN apt update && apt install -y tree\n";
    let sandbox = Sandbox::with(&[("Dockerfile", before)]);
    let run = run_of(&sandbox, &["--select=apt-get,apt-no-recommends"], 1);
    let afters = results(&run).iter().map(|result| with_fix(before, result));
    let expected = [
        "RUN apt-get update && apt install -y tree\n",
        "RUN apt update && apt-get install -y tree\n",
        "RUN apt update && apt install -y --no-install-recommends tree\n",
    ];
    let expected = expected.map(|run| format!("FROM debian:12-slim\n{run}"));
    assert_eq!(afters.collect::<Vec<_>>(), expected);
}

/// The flag is put behind the word that another fix writes.
#[test]
fn a_fix_of_what_another_one_wrote_is_not_given() {
    let before = "FROM debian:12-slim\nADD a /srv/a\nRUN chown -R 10:10 /srv/a\n";
    let sandbox = Sandbox::with(&[("Dockerfile", before), ("a/file", "")]);
    let run = run_of(&sandbox, &["--select=copy-not-add,copy-chown"], 1);
    let copy = with_fix(before, result(&run, "copy-not-add"));
    assert_eq!(copy, before.replace("ADD", "COPY"));
    let chown = result(&run, "copy-chown");
    assert_eq!(
        (&chown["level"], &chown["fixes"]),
        (&"note".into(), &Value::Null)
    );
    // It is given where nothing is written there before.
    sandbox.write("Dockerfile", &copy);
    let run = run_of(&sandbox, &["--select=copy-not-add,copy-chown"], 1);
    let after = with_fix(&copy, result(&run, "copy-chown"));
    assert!(after.contains("COPY --chown=10:10 a /srv/a\n"), "{after}");
}

#[test]
fn suggestions_are_not_given_as_fixes() {
    let sandbox = Sandbox::with(&[("Dockerfile", "FROM debian\nRUN true\n")]);
    let run = run_of(&sandbox, &["--select=pin-base"], 0);
    let suggestion = result(&run, "pin-base");
    assert_eq!(suggestion["level"], "note");
    assert_eq!(suggestion["fixes"], Value::Null);
}

fn prints(run: &Value) -> Vec<&str> {
    let results = results(run).iter();
    results
        .map(|result| {
            result["partialFingerprints"]["dockeropt/v1"]
                .as_str()
                .unwrap()
        })
        .collect()
}

#[test]
fn fingerprints_survive_moved_lines_and_differ() {
    let twice = format!("{BEFORE}ADD requirements.txt /app/\n");
    let sandbox = Sandbox::with(&[("Dockerfile", &twice)]);
    let first = run_of(&sandbox, &[], 1);
    sandbox.write("Dockerfile", format!("# a comment\n\n{twice}"));
    let moved = run_of(&sandbox, &[], 1);
    assert_eq!(prints(&first), prints(&moved));
    let mut all = prints(&first);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3);
    sandbox.write("Dockerfile", twice.replace("tini", "tree"));
    let other = run_of(&sandbox, &[], 1);
    assert_ne!(prints(&first), prints(&other));
}

#[test]
fn files_that_could_not_be_done_are_notifications() {
    let sandbox = Sandbox::with(&[("a/Dockerfile", REFUSED), ("b/Dockerfile", GOOD)]);
    let run = run_of(&sandbox, &[".", "missing"], 2);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let told = invocation["toolExecutionNotifications"].as_array().unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|one| {
            let place = &one["locations"][0]["physicalLocation"];
            let (uri, line) = (
                &place["artifactLocation"]["uri"],
                &place["region"]["startLine"],
            );
            (
                one["level"].as_str().unwrap(),
                uri.as_str().unwrap(),
                line.as_u64(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("error", "missing", None),
            ("error", "a/Dockerfile", Some(2))
        ]
    );
    assert_eq!(results(&run).len(), 0);
}

/// Whoever runs it below the root of the repository gets the same paths as at its root.
#[test]
fn paths_are_those_of_the_repository() {
    let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE), (".git/HEAD", "")]);
    let ran = sandbox
        .run_in("app", &["check", "--format=sarif"], b"")
        .ended(1);
    assert!(ran.out.contains("\"uri\":\"app/Dockerfile\""), "{ran:#?}");
}

#[test]
fn what_a_terminal_would_act_on_is_escaped() {
    let text = "FROM debian:12-slim\nADD a\u{9b}1m\u{202e} /a\nRUN apt-get update \\\n && echo '\u{1b}[2J\u{85}' && apt-get install -y tree\n";
    let sandbox = Sandbox::with(&[("x\u{1b}[1m/Dockerfile", text)]);
    let ran = sandbox.run(&["check", "--format=sarif"]).ended(1);
    let acts = |char: char| char != '\n' && (char.is_control() || char == '\u{202e}');
    assert_eq!(ran.out.find(acts), None, "{}", ran.out);
    serde_json::from_str::<Value>(&ran.out).unwrap();
}

/// The text of every log above and of the examples, by the schema of the standard, where it is at hand.
#[test]
fn logs_are_valid_by_the_schema_of_the_standard() {
    let Some(path) = std::env::var_os("DOCKEROPT_SARIF_SCHEMA") else {
        eprintln!("skipped: DOCKEROPT_SARIF_SCHEMA names no sarif-schema-2.1.0.json");
        return;
    };
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    for log in logs() {
        let log: Value = serde_json::from_str(&log).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&log)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

/// Another program reads the logs, where it is installed.
#[test]
fn sarif_tools_reads_the_logs() {
    for log in logs() {
        let sandbox = Sandbox::with(&[("log.sarif", &log)]);
        let Some(ran) = sandbox.other("sarif", &["csv", "-o", "log.csv", "log.sarif"], b"") else {
            return;
        };
        ran.ended(0);
        let log: Value = serde_json::from_str(&log).unwrap();
        let rows = sandbox.text("log.csv");
        assert_eq!(
            rows.lines().count(),
            1 + results(&log["runs"][0]).len(),
            "{rows}"
        );
    }
}

fn logs() -> Vec<String> {
    let files = [("app/Dockerfile", BEFORE), ("bad/Dockerfile", REFUSED)];
    let sandbox = Sandbox::with(&files);
    let mut command = sandbox.command();
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let examples = command
        .args(["check", "--format=sarif", "examples"])
        .output();
    let args: [&[&str]; 3] = [&[".", "missing"], &["app"], &["missing"]];
    let logs = args.map(|args| {
        sandbox
            .run(&[&["check", "--format=sarif"], args].concat())
            .out
    });
    let examples = String::from_utf8(examples.unwrap().stdout).unwrap();
    logs.into_iter().chain([examples]).collect()
}
