//! `dockeropt.toml`: which one counts, and what a bad one does.

use super::sandbox::{AFTER, BEFORE, Sandbox};

#[test]
fn the_nearest_configuration_counts() {
    let files = [
        ("dockeropt.toml", "ignore = ['copy-not-add']\n"),
        ("Dockerfile", BEFORE),
        ("api/Dockerfile", BEFORE),
        ("web/dockeropt.toml", ""),
        ("web/app/Dockerfile", BEFORE),
    ];
    let sandbox = Sandbox::with(&files);
    sandbox.run(&["fix", "--write"]).ended(0);
    assert_eq!(sandbox.text("Dockerfile"), BEFORE);
    assert_eq!(sandbox.text("api/Dockerfile"), BEFORE);
    assert_eq!(sandbox.text("web/app/Dockerfile"), AFTER);
    let args = ["fix", "-", "--stdin-filename", "api/Dockerfile"];
    assert_eq!(sandbox.pipe(&args, BEFORE).ended(0).out, BEFORE);
}

#[test]
fn the_command_line_has_the_last_word() {
    let files = [
        ("dockeropt.toml", "ignore = ['copy-not-add']\n"),
        ("Dockerfile", BEFORE),
    ];
    let sandbox = Sandbox::with(&files);
    sandbox
        .run(&["fix", "--select", "copy-not-add", "--exit-code"])
        .ended(1);
    sandbox
        .run(&["check", "--ignore", "apt-no-recommends"])
        .ended(0);
}

#[test]
fn a_bad_configuration_stops_only_its_own_files() {
    let files = [
        ("a/dockeropt.toml", "select = []\nselct = []\n"),
        ("a/Dockerfile", BEFORE),
        ("a/b/Dockerfile", BEFORE),
        ("c/Dockerfile", BEFORE),
    ];
    let sandbox = Sandbox::with(&files);
    let ran = sandbox.run(&["fix", "--write"]).ended(2);
    assert_eq!(sandbox.text("a/Dockerfile"), BEFORE);
    assert_eq!(sandbox.text("a/b/Dockerfile"), BEFORE);
    assert_eq!(sandbox.text("c/Dockerfile"), AFTER);
    let errors: Vec<&str> = ran
        .err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    let [error] = errors[..] else {
        panic!("{ran:#?}")
    };
    assert!(error.starts_with("error: a/dockeropt.toml:2: "), "{error}");
    assert!(error.contains("did you mean `select`?"), "{error}");
}

const OWN_RULE: &str = "\
summary = 'Answer yes'
phase = 'commands'
applicability = 'safe'
effects = ['assume-yes']
why = 'A build has nobody to ask.'
[match]
instruction = 'RUN'
command = ['our-tool', 'install']
lacks-flag = '--yes'
[rewrite]
add-flag = '--yes'
[[example]]
before = \"FROM a\\nRUN our-tool install x\\n\"
after = \"FROM a\\nRUN our-tool install --yes x\\n\"
";
fn with_own_rule(rule: &str) -> Sandbox {
    Sandbox::with(&[
        ("dockeropt.toml", "extend = ['ci/rules']\n"),
        ("ci/rules/our-tool.toml", rule),
        ("ci/rules/README.md", ""),
        ("app/Dockerfile", "FROM debian:12\nRUN our-tool install x\n"),
    ])
}

#[test]
fn a_team_adds_rules_of_its_own() {
    let sandbox = with_own_rule(OWN_RULE);
    assert!(sandbox.run(&["rules"]).ended(0).out.contains("\nour-tool "));
    sandbox.run(&["fix", "--write"]).ended(0);
    let expected = "FROM debian:12\nRUN our-tool install --yes x\n";
    assert_eq!(sandbox.text("app/Dockerfile"), expected);
}

#[test]
fn a_bad_own_rule_is_an_error_with_its_line() {
    let sandbox = with_own_rule(&OWN_RULE.replace("lacks-flag", "lack-flag"));
    let ran = sandbox.run(&["check"]).ended(2);
    let error = "error: ci/rules/our-tool.toml:9: ";
    assert!(ran.err.starts_with(error), "{ran:#?}");
}

#[test]
fn a_bad_option_is_an_error_with_its_line() {
    let files = [("Dockerfile", BEFORE), ("dockeropt.toml", "")];
    let sandbox = Sandbox::with(&files);
    for (line, message) in [
        (
            "runtime-go = 'scrath'",
            "option `runtime-go` has the unknown value `scrath`, did you mean `scratch`?",
        ),
        (
            "runtime-rust = 'alpine'",
            "option `runtime-rust` refuses `alpine`: a program that is built for musl needs nothing of Alpine (`scratch`, \
             `distroless`), and another finds no C library there (allowed: `slim`, `distroless`, `scratch`)",
        ),
        (
            "runtime-node = 'alpine'",
            "option `runtime-node` refuses `alpine`: packages that hold compiled code were installed for the C library of \
             Debian, which Alpine does not have; build on Alpine too (allowed: `slim`)",
        ),
        (
            "builder-name = 'My Stage'",
            "option `builder-name` has `My Stage`, which is not the name of a stage",
        ),
        (
            "runtime-name = 'scratch'",
            "option `runtime-name` has `scratch`, which is not the name of a stage",
        ),
        (
            "keep-packages = ['curl', 'a && b']",
            "option `keep-packages` has `a && b`, which is not the name of a package",
        ),
        (
            "keep-packages = 'curl'",
            "option `keep-packages` is of type string, expected array",
        ),
        (
            "keep-packages = [1]",
            "option `keep-packages` holds a value of type integer, expected string",
        ),
        (
            "keep-files = ['../secret']",
            "option `keep-files` has `../secret`, which is not a path in the build context",
        ),
        (
            "keep-files = ['a[b']",
            "option `keep-files` has `a[b`, which is not a path in the build context",
        ),
    ] {
        let text = format!("[rules.split-stages.options]\n{line}\n");
        sandbox.write("dockeropt.toml", text);
        let ran = sandbox.run(&["check"]).ended(2);
        let expected = format!("dockeropt.toml:2: {message}");
        assert!(ran.err.contains(&expected), "for {line}: {ran:#?}");
    }
}

#[test]
fn overrides_are_about_some_files() {
    let config = "
ignore = ['apt-no-recommends']
[[overrides]]
paths = ['legacy', '*.dev.Dockerfile']
ignore = ['copy-not-add']
[[overrides]]
paths = 'legacy/new'
select = ['copy-not-add']
";
    let files = [
        ("ops/dockeropt.toml", config),
        ("ops/Dockerfile", BEFORE),
        ("ops/app.dev.Dockerfile", BEFORE),
        ("ops/legacy/Dockerfile", BEFORE),
        ("ops/legacy/new/Dockerfile", BEFORE),
        ("legacy/Dockerfile", BEFORE),
    ];
    let sandbox = Sandbox::with(&files);
    sandbox.run(&["fix", "--write"]).ended(0);
    for (path, expected) in [
        ("ops/Dockerfile", AFTER),
        ("ops/app.dev.Dockerfile", BEFORE),
        ("ops/legacy/Dockerfile", BEFORE),
        ("ops/legacy/new/Dockerfile", AFTER),
        ("legacy/Dockerfile", AFTER),
    ] {
        assert_eq!(sandbox.text(path), expected, "{path}");
    }
    let args = [
        "fix",
        "--write",
        "--select=copy-not-add",
        "ops/legacy/Dockerfile",
    ];
    sandbox.run(&args).ended(0);
    assert_eq!(sandbox.text("ops/legacy/Dockerfile"), AFTER);
}

#[test]
fn a_bad_override_is_an_error_for_every_file() {
    let config = "[[overrides]]\npaths = ['legacy']\nignore = ['copy-not-ad']\n";
    let sandbox = Sandbox::with(&[("dockeropt.toml", config), ("Dockerfile", BEFORE)]);
    let ran = sandbox.run(&["check"]).ended(2);
    let error = "error: dockeropt.toml:3: unknown rule `copy-not-ad`, did you mean `copy-not-add`?";
    assert!(ran.err.starts_with(error), "{ran:#?}");
}

#[test]
fn presets_choose_the_rules() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let rules = |preset: &str| {
        sandbox.write("dockeropt.toml", format!("preset = '{preset}'\n"));
        sandbox.run(&["rules"]).ended(0).out.lines().count()
    };
    let [minimal, recommended, all] = ["minimal", "recommended", "all"].map(rules);
    assert!(
        minimal < recommended && recommended < all,
        "{minimal}, {recommended}, {all}"
    );
    sandbox.write("dockeropt.toml", "\npreset = 'minimum'\n");
    let ran = sandbox.run(&["rules"]).ended(2);
    let error = "error: dockeropt.toml:2: unknown preset `minimum`";
    assert!(ran.err.starts_with(error), "{ran:#?}");
}

/// The fields of the line of `dockeropt config` that begins with `name`.
#[track_caller]
fn row(text: &str, name: &str) -> String {
    let found = text
        .lines()
        .find(|line| line.split("  ").next() == Some(name));
    let words = found.unwrap_or_else(|| panic!("no `{name}` in\n{text}"));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

const EXPLAINED: &str = "\
preset = 'all'
ignore = ['copy-not-add']
[rules.join-runs]
applicability = 'suggestion'
options.when = 'all'
[[overrides]]
paths = ['legacy']
rules.exec-form.enabled = false
[budget]
'*' = '1GB'
";

#[test]
fn what_is_in_force_is_shown_with_where_it_comes_from() {
    let sandbox = Sandbox::with(&[
        ("dockeropt.toml", EXPLAINED),
        ("Dockerfile", BEFORE),
        ("legacy/Dockerfile", BEFORE),
    ]);
    let here = sandbox.run(&["config"]).ended(0).out;
    assert!(
        here.starts_with("Dockerfile: configured by `dockeropt.toml`\n\n"),
        "{here}"
    );
    for (name, expected) in [
        ("preset", "preset all dockeropt.toml:1 (`preset`)"),
        ("cache", "cache clean default"),
        (
            "budget.*",
            "budget.* 1.00 GB dockeropt.toml:10 (`budget.*`)",
        ),
        (
            "copy-not-add",
            "copy-not-add off safe dockeropt.toml:2 (`ignore`)",
        ),
        (
            "exec-form",
            "exec-form on unsafe dockeropt.toml:1 (`preset`)",
        ),
        (
            "join-runs",
            "join-runs on suggestion dockeropt.toml:1 (`preset`); \
             suggestion by dockeropt.toml:4 (`rules.join-runs.applicability`)",
        ),
        (
            "join-runs.when",
            "join-runs.when \"all\" dockeropt.toml:5 (`rules.join-runs.options.when`)",
        ),
        (
            "split-stages.runtime-go",
            "split-stages.runtime-go \"distroless\" default",
        ),
    ] {
        assert_eq!(row(&here, name), expected);
    }
    assert!(!here.contains("override 1"), "{here}");

    let args = ["config", "legacy", "--select", "exec-form,join-runs"];
    let there = sandbox.run(&args[..2]).ended(0).out;
    let expected = "override 1 legacy dockeropt.toml:6 (`override 1`)";
    assert_eq!(row(&there, "override 1"), expected);
    let expected = "exec-form off unsafe dockeropt.toml:8 (`rules.exec-form.enabled`)";
    assert_eq!(row(&there, "exec-form"), expected);
    let selected = sandbox.run(&args).ended(0).out;
    assert_eq!(row(&selected, "exec-form"), "exec-form on unsafe --select");
    assert_eq!(row(&selected, "apt-lists"), "apt-lists off safe --select");
}

#[test]
fn what_is_in_force_is_a_document() {
    let sandbox = Sandbox::with(&[("dockeropt.toml", EXPLAINED), ("app/Dockerfile", BEFORE)]);
    let args = ["config", "app", "--format", "json", "--ignore", "npm-ci"];
    let ran = sandbox.run(&args).ended(0);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["path"], "app/Dockerfile");
    assert_eq!(document["file"], "dockeropt.toml");
    let preset = serde_json::json!({
        "key": "preset",
        "value": "all",
        "from": {"kind": "file", "key": "preset", "path": "dockeropt.toml", "line": 1},
    });
    assert_eq!(document["settings"][0], preset);
    let rules = document["rules"].as_array().unwrap();
    let rule = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
    let from = serde_json::json!({"kind": "flag", "flag": "--ignore"});
    assert_eq!(rule("npm-ci")["enabled"]["from"], from);
    assert_eq!(rule("join-runs")["options"]["when"]["value"], "all");

    let bare = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let ran = bare.run(&["config", "--format", "json"]).ended(0);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(document["file"].is_null(), "{document}");
    bare.run(&["config", "nowhere"]).ended(2);
}

#[test]
fn folders_are_searched_as_configured() {
    let config = "exclude = ['vendor', '*.gen.Dockerfile']\ninclude = ['docker/*.build']\n";
    let sandbox = Sandbox::with(&[
        ("dockeropt.toml", config),
        ("vendor/Dockerfile", BEFORE),
        ("a.gen.Dockerfile", BEFORE),
        ("docker/app.build", BEFORE),
        ("docker/app.txt", BEFORE),
        ("app/Dockerfile", BEFORE),
        ("app/vendor/Dockerfile", BEFORE),
    ]);
    let found = |args: &[&str]| {
        let args = [&["check", "--select", "copy-not-add"], args].concat();
        let ran = sandbox.run(&args).ended(1);
        let paths = ran.out.lines().map(|line| line.split(':').next().unwrap());
        paths.map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = [
        "app/Dockerfile",
        "app/vendor/Dockerfile",
        "docker/app.build",
    ];
    assert_eq!(found(&[]), expected);
    assert_eq!(found(&["./docker"]), ["docker/app.build"]);
    // What is named is taken.
    assert_eq!(found(&["vendor/Dockerfile"]), ["vendor/Dockerfile"]);
    let named = ["--force-exclude", "vendor/Dockerfile", "app/Dockerfile"];
    assert_eq!(found(&named), ["app/Dockerfile"]);
}

#[test]
fn a_configuration_is_laid_over_another() {
    let sandbox = Sandbox::with(&[
        (
            "base/common.toml",
            "preset = 'minimal'\nignore = ['apt-lists']\nextend = 'rules'\n\
             exclude = ['old']\n[budget]\n'*' = '1GB'\n",
        ),
        ("base/rules/our-tool.toml", OWN_RULE),
        (
            "dockeropt.toml",
            "preset = 'all'\nextend = ['base/common.toml']\nexclude = ['new']\n",
        ),
        ("base/old/Dockerfile", BEFORE),
        ("old/Dockerfile", "FROM debian:12\nRUN our-tool install x\n"),
        ("new/Dockerfile", BEFORE),
    ]);
    let text = sandbox.run(&["config"]).ended(0).out;
    assert_eq!(
        row(&text, "preset"),
        "preset all dockeropt.toml:1 (`preset`)"
    );
    let expected = "apt-lists off safe base/common.toml:2 (`ignore`)";
    assert_eq!(row(&text, "apt-lists"), expected);
    assert!(!text.contains("budget"), "{text}");
    sandbox.run(&["fix", "--write"]).ended(0);
    let expected = "FROM debian:12\nRUN our-tool install --yes x\n";
    assert_eq!(sandbox.text("old/Dockerfile"), expected);
    assert_eq!(sandbox.text("base/old/Dockerfile"), BEFORE);
    assert_eq!(sandbox.text("new/Dockerfile"), BEFORE);
}

#[test]
fn a_configuration_that_cannot_be_extended_is_an_error_with_its_line() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let fails = |expected: &str| {
        let ran = sandbox.run(&["check"]).ended(2);
        assert_eq!(
            ran.err.lines().next().unwrap(),
            format!("error: {expected}")
        );
    };
    sandbox.write("dockeropt.toml", "cache = 'clean'\nextend = 'a.toml'\n");
    fails("dockeropt.toml:2: `extend`: a.toml: no such file or folder");
    sandbox.write("a.toml", "\n\nextend = ['./dockeropt.toml']\n");
    fails("a.toml:3: `extend` leads in a circle: `dockeropt.toml` → `a.toml` → `dockeropt.toml`");
    sandbox.write("a.toml", "selct = []\n");
    let ran = sandbox.run(&["check"]).ended(2);
    assert!(
        ran.err.starts_with("error: a.toml:1: unknown key `selct`"),
        "{ran:#?}"
    );
    for number in 0..10 {
        let next = format!("extend = '{}.toml'\n", number + 1);
        sandbox.write(format!("{number}.toml"), next);
    }
    sandbox.write("dockeropt.toml", "extend = '0.toml'\n");
    fails("6.toml:1: more than 8 files extend each other");
}

#[test]
fn a_baseline_is_configured() {
    let sandbox = Sandbox::with(&[
        ("dockeropt.toml", "\nbaseline = 'known.json'\n"),
        ("Dockerfile", BEFORE),
    ]);
    let ran = sandbox.run(&["check"]).ended(2);
    let expected = "error: dockeropt.toml:2: `baseline`: known.json: no such file or folder\n";
    assert_eq!(ran.err, expected);
    sandbox
        .run(&["check", "--write-baseline", "known.json"])
        .ended(0);
    let ran = sandbox.run(&["check"]).ended(0);
    assert_eq!(ran.out, "");
    assert!(
        ran.last().contains("in the baseline known.json"),
        "{ran:#?}"
    );
    sandbox.write("app/Dockerfile", BEFORE);
    let ran = sandbox.run_in("app", &["check"], b"").ended(1);
    assert!(
        ran.out.starts_with("Dockerfile:2:1: copy-not-add"),
        "{ran:#?}"
    );
}
