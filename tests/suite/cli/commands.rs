//! Commands, flags and exit statuses.

use serde_json::Value;

use super::sandbox::{AFTER, BEFORE, GOOD, REFUSED, Ran, Sandbox};

#[test]
fn fix_is_a_dry_run() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let default = sandbox.run(&["fix"]).ended(0);
    let expected = "\
--- a/Dockerfile
+++ b/Dockerfile
@@ -1,3 +1,3 @@
 FROM python:3.12
-ADD requirements.txt /app/
+COPY requirements.txt /app/
 RUN apt-get update && apt-get install -y tini && rm -rf /var/lib/apt/lists/*
";
    assert_eq!(default.out, expected);
    let explicit = sandbox.run(&["fix", "--dry-run", "."]).ended(0);
    assert_eq!(explicit.out, expected);
    assert_eq!(sandbox.text("Dockerfile"), BEFORE);
}

#[test]
fn fix_counts_the_unsafe_fixes_that_it_leaves_out() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let ran = sandbox.run(&["fix"]).ended(0);
    assert_eq!(
        ran.last(),
        "1 unsafe fix not included: apt-no-recommends 1 (up to an estimated 470 MB); see with `--unsafe`"
    );
    let ran = sandbox.run(&["fix", "--unsafe"]).ended(0);
    assert!(ran.out.contains("--no-install-recommends"), "{ran:#?}");
    assert!(!ran.err.contains("--unsafe"), "{ran:#?}");
}

#[test]
fn fix_with_exit_code_says_whether_something_would_change() {
    let sandbox = Sandbox::with(&[("bad/Dockerfile", BEFORE), ("good/Dockerfile", GOOD)]);
    sandbox.run(&["fix", "--exit-code"]).ended(1);
    sandbox.run(&["fix", "--exit-code", "good"]).ended(0);
    sandbox.pipe(&["fix", "--exit-code", "-"], BEFORE).ended(1);
    sandbox.pipe(&["fix", "--exit-code", "-"], GOOD).ended(0);
}

#[test]
fn fix_writes_when_told() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE), ("good.Dockerfile", GOOD)]);
    let ran = sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(ran.out, "Dockerfile: copy-not-add 1\n");
    assert_eq!(sandbox.text("Dockerfile"), AFTER);
    assert_eq!(sandbox.text("good.Dockerfile"), GOOD);
    let again = sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(again.out, "");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    sandbox.run(&["fix", "--write", "--dry-run"]).ended(2);
    sandbox.run(&["fix", "--write", "--exit-code"]).ended(2);
    sandbox.run(&["fix", "--write", "-"]).ended(2);
    sandbox.run(&["fix", "-", "Dockerfile"]).ended(2);
    sandbox.run(&["fix", "--no-such-flag"]).ended(2);
    assert_eq!(sandbox.text("Dockerfile"), BEFORE);
}

#[test]
fn standard_input_is_printed_fixed() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.pipe(&["fix", "-"], BEFORE).ended(0).out, AFTER);
    assert_eq!(sandbox.pipe(&["fix", "-"], GOOD).ended(0).out, GOOD);
    let latin = b"FROM scratch\r\n# caf\xe9 \x1b[31m\r\nADD a /a";
    let ran = sandbox
        .pipe(&["fix", "-", "--color=always"], latin)
        .ended(0);
    assert_eq!(
        ran.bytes,
        b"FROM scratch\r\n# caf\xe9 \x1b[31m\r\nCOPY a /a"
    );
}

#[test]
fn standard_input_that_is_refused_comes_out_as_it_is() {
    let sandbox = Sandbox::new();
    let args = ["fix", "-", "--stdin-filename", "app/Dockerfile"];
    let ran = sandbox.pipe(&args, REFUSED).ended(2);
    assert_eq!(ran.out, REFUSED);
    assert!(
        ran.err.starts_with("error: app/Dockerfile:2:1: "),
        "{ran:#?}"
    );
}

#[test]
fn check_lists_findings_one_a_line() {
    let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE)]);
    let ran = sandbox.run(&["check"]).ended(1);
    let lines: Vec<&str> = ran.out.lines().collect();
    let [first, second] = lines[..] else {
        panic!("{ran:#?}")
    };
    assert!(
        first.starts_with("app/Dockerfile:2:1: copy-not-add: "),
        "{first}"
    );
    assert!(first.ends_with(" [safe]"), "{first}");
    assert!(second.starts_with("app/Dockerfile:3:"), "{second}");
    assert!(
        second.ends_with(" [unsafe, up to an estimated 470 MB]"),
        "{second}"
    );
    assert!(ran.last().starts_with("2 findings in 1 file: "), "{ran:#?}");
    let piped = sandbox.pipe(&["check", "-"], BEFORE).ended(1);
    assert!(
        piped.out.starts_with("<stdin>:2:1: copy-not-add: "),
        "{piped:#?}"
    );
}

const LISTS: &str = "FROM debian:12-slim\nRUN apt-get update && apt-get install -y tree\n";

#[test]
fn estimates_are_summed_for_each_file_and_for_all() {
    let sandbox = Sandbox::with(&[("a/Dockerfile", LISTS), ("b/Dockerfile", LISTS)]);
    for command in ["check", "fix"] {
        let ran = sandbox.run(&[command]);
        let one = "a/Dockerfile: saves an estimated 17 to 45 MB, with the unsafe fixes an estimated 17 to 515 MB\n";
        assert!(ran.err.contains(one), "{ran:#?}");
        let both = "all files together: saves an estimated 34 to 90 MB, with the unsafe fixes an estimated 34 to 1030 MB";
        assert_eq!(ran.last(), both);
    }
    let ran = sandbox.run(&["fix", "--unsafe", "a"]);
    assert_eq!(
        ran.err.lines().next(),
        Some("a/Dockerfile: saves an estimated 17 to 515 MB")
    );
    assert!(!ran.err.contains("together"), "{ran:#?}");
}

#[test]
fn json_has_estimates_with_their_source() {
    let sandbox = Sandbox::with(&[("Dockerfile", LISTS)]);
    let ran = sandbox.run(&["check", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let file = &told["files"][0];
    let estimate = &file["findings"][0]["estimate"];
    assert_eq!(estimate["low"], 17_000_000);
    assert!(
        estimate["source"]
            .as_str()
            .is_some_and(|source| source.contains("lists"))
    );
    assert_eq!(
        file["saving"],
        serde_json::json!({"low": 17_000_000, "high": 45_000_000})
    );
    assert_eq!(told["summary"]["saving"], file["saving"]);
    assert_eq!(told["summary"]["unsafe_saving"]["high"], 470_000_000);
}

#[test]
fn check_is_content_with_a_good_file() {
    let sandbox = Sandbox::with(&[("Dockerfile", GOOD)]);
    let ran = sandbox.run(&["check"]).ended(0);
    assert_eq!(
        (ran.out.as_str(), ran.last()),
        ("", "no findings in 1 file")
    );
}

#[test]
fn rules_are_selected_and_ignored() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let rules_of = |args: &[&str]| {
        let out = sandbox.run(args).out;
        let rule = |line: &str| line.split(": ").nth(1).map(str::to_owned);
        out.lines().filter_map(rule).collect::<Vec<_>>()
    };
    let both = ["copy-not-add", "apt-no-recommends"];
    assert_eq!(rules_of(&["check"]), both);
    assert_eq!(rules_of(&["check", "--select", "copy-not-add"]), &both[..1]);
    assert_eq!(
        rules_of(&["check", "--select=copy-not-add,apt-no-recommends"]),
        both
    );
    assert_eq!(rules_of(&["check", "--ignore", "copy-not-add"]), &both[1..]);
    let ran = sandbox.run(&["fix", "--ignore", "copy-not-add"]).ended(0);
    assert_eq!(ran.out, "");
    let ran = sandbox.run(&["check", "--select", "copy-not-ad"]).ended(2);
    assert!(ran.err.contains("did you mean `copy-not-add`?"), "{ran:#?}");
}

#[test]
fn one_bad_file_stops_no_other() {
    let files = [
        ("a/Dockerfile", REFUSED),
        ("b/Dockerfile", BEFORE),
        ("c/Dockerfile", ""),
    ];
    let sandbox = Sandbox::with(&files);
    let ran = sandbox.run(&["fix", "--write", ".", "missing"]).ended(2);
    assert_eq!(sandbox.text("a/Dockerfile"), REFUSED);
    assert_eq!(sandbox.text("b/Dockerfile"), AFTER);
    for error in [
        "error: missing: ",
        "error: a/Dockerfile:2:1: ",
        "error: c/Dockerfile:1:1: ",
    ] {
        assert!(ran.err.contains(error), "{ran:#?}");
    }
    sandbox.run(&["check"]).ended(2);
}

#[test]
fn output_is_in_path_order() {
    let sandbox = Sandbox::new();
    for folder in 0..600 {
        sandbox.write(format!("{folder}/Dockerfile"), BEFORE);
    }
    let ran = sandbox.run(&["fix"]).ended(0);
    let headers: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.starts_with("--- "))
        .collect();
    assert_eq!(headers.len(), 600);
    assert!(headers.is_sorted(), "{headers:#?}");
}

#[test]
fn json_is_one_document() {
    let sandbox = Sandbox::with(&[("a/Dockerfile", BEFORE), ("b/Dockerfile", REFUSED)]);
    let document = json(
        &sandbox
            .run(&["check", "--format=json", ".", "missing"])
            .ended(2),
    );
    assert_eq!(document["version"], 1);
    let finding = &document["files"][0]["findings"][0];
    assert_eq!(document["files"][0]["path"], "a/Dockerfile");
    assert_eq!(finding["rule"], "copy-not-add");
    assert_eq!(
        (&finding["line"], &finding["column"]),
        (&2.into(), &1.into())
    );
    assert_eq!(finding["applicability"], "safe");
    assert_eq!(document["files"][1]["refused"][0]["line"], 2);
    assert_eq!(document["errors"][0]["path"], "missing");
    assert_eq!(document["summary"]["findings"], 2);
    let document = json(&sandbox.run(&["fix", "--format=json", "a"]).ended(0));
    let diff = document["files"][0]["diff"].as_str().unwrap();
    assert!(diff.contains("\n+COPY requirements.txt /app/\n"), "{diff}");
    let empty = json(&sandbox.run(&["fix", "--format=json", "missing"]).ended(2));
    assert_eq!(empty["files"], Value::Array(Vec::new()));
}

#[test]
fn rules_are_listed() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["rules"]).ended(0);
    assert!(
        ran.out
            .lines()
            .any(|line| line.starts_with("copy-not-add ")),
        "{ran:#?}"
    );
    let document = json(&sandbox.run(&["rules", "--format=json"]).ended(0));
    let rules = document["rules"].as_array().unwrap();
    assert_eq!(rules.len(), ran.out.lines().count());
    let rule = rules
        .iter()
        .find(|rule| rule["id"] == "copy-not-add")
        .unwrap();
    assert_eq!(
        (&rule["phase"], &rule["applicability"]),
        (&"normalize".into(), &"safe".into())
    );
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let is_coloured = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = sandbox.command();
        let output = command
            .args(args)
            .envs(env.iter().copied())
            .output()
            .unwrap();
        let ran = Ran::new(output).ended(0);
        ran.out.contains("\x1b[")
    };
    let force = ("CLICOLOR_FORCE", "1");
    let none = ("NO_COLOR", "1");
    assert!(!is_coloured(&["fix"], &[]));
    assert!(is_coloured(&["fix", "--color", "always"], &[]));
    assert!(is_coloured(&["--color=always", "fix"], &[none]));
    assert!(is_coloured(&["fix"], &[force]));
    assert!(!is_coloured(&["fix"], &[force, none]));
    assert!(!is_coloured(&["fix", "--color=never"], &[force]));
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn the_saving_is_that_of_the_family_of_images() {
    let jar = "COPY app.jar /\nCMD [\"java\", \"-jar\", \"/app.jar\"]\n";
    let go = "COPY . .\nRUN go build -o /shop .\nCMD [\"/shop\"]\n";
    for (base, rest, saving) in [
        ("debian:12", jar, "35 to 50 MB"),
        ("eclipse-temurin:17-jdk", jar, "110 to 210 MB"),
        ("golang:1.22", go, "650 to 950 MB"),
        ("golang:1.22-alpine", go, "100 to 1550 MB"),
    ] {
        let file = format!("FROM {base}\n{rest}");
        let sandbox = Sandbox::with(&[
            ("Dockerfile", file.as_str()),
            ("app.jar", ""),
            ("go.mod", "module example.com/shop\n"),
            ("main.go", "package main\n"),
        ]);
        let rules = "slim-base,split-stages";
        let ran = sandbox.run(&["check", "--select", rules, "."]).ended(1);
        let saving = format!("an estimated {saving}");
        assert!(ran.out.contains(&saving), "{ran:#?}");
    }
}
