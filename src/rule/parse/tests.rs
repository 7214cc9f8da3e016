//! Each way in which a rule's file can be wrong, and what is said about it.

use super::*;

const CODED: &str = "\
summary = 'Do it'
phase = 'layers'
applicability = 'safe'
effects = ['layers', 'config:cmd', 'file:.dockerignore']
why = 'Because.'
pass = 'join-steps'
[options.when]
about = 'which'
default = 'related'
values = ['related', 'all']
[data]
words = ['a', 'b']
[[example]]
before = 'RUN a'
after = 'RUN b'
[[example]]
before = 'RUN a'
after = 'RUN a'
files = { 'src/app.py' = 'import os' }
";

const DECLARATIVE: &str = "\
summary = 'Use the mirror'
phase = 'commands'
applicability = 'unsafe'
effects = ['packages']
why = 'Because.'
[match]
instruction = 'RUN'
command = [['pip', 'pip3'], 'install']
lacks-flag = ['--index-url', '-i']
[rewrite]
add-flag = '--index-url=https://pypi.example.com/simple'
[[example]]
before = 'RUN pip install a'
after = 'RUN pip install --index-url=https://pypi.example.com/simple a'
";

fn rule(text: &str) -> Result<Rule, RuleError> {
    parse(Path::new("rules/do-it.toml"), text)
}

/// `text` with `from` replaced by `to` fails with `expected`, after the path.
#[track_caller]
fn check_error(text: &str, from: &str, to: &str, expected: &str) {
    assert!(text.contains(from), "{from:?} is not in the text");
    let error = rule(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(error, format!("rules/do-it.toml:{expected}"));
}

#[test]
fn a_coded_rule_is_read() {
    let rule = rule(CODED).unwrap();
    assert_eq!(rule.id, "do-it");
    assert!(rule.enabled);
    let names: Vec<String> = rule.effects.iter().map(Effect::to_string).collect();
    assert_eq!(names, ["layers", "config:cmd", "file:.dockerignore"]);
    assert_eq!(rule.option("when"), Some(&"related".into()));
    let Action::Pass { name, data, .. } = &rule.action else {
        panic!("a pass");
    };
    assert_eq!(name, "join-steps");
    assert_eq!(&**data, r#"{"words":["a","b"]}"#);
    assert_eq!(rule.examples[1].files["src/app.py"], "import os");
}

#[test]
fn a_declarative_rule_is_read() {
    let rule = parse_declarative(Path::new("rules/do-it.toml"), DECLARATIVE).unwrap();
    let Action::Pattern(pattern) = rule.action else {
        panic!("a pattern");
    };
    assert_eq!(pattern.on.instruction, "RUN");
    assert_eq!(pattern.on.command, [vec!["pip", "pip3"], vec!["install"]]);
    assert_eq!(pattern.on.lacks_flag, ["--index-url", "-i"]);
    let added = pattern.rewrite.unwrap().add_flag.unwrap();
    assert_eq!(added, "--index-url=https://pypi.example.com/simple");
}

#[test]
fn the_effect_none_is_the_empty_list() {
    let none = CODED.replace("['layers', 'config:cmd', 'file:.dockerignore']", "['none']");
    assert_eq!(rule(&none).unwrap().effects, []);
    check_error(
        CODED,
        "'config:cmd'",
        "'none'",
        "4: the effect `none` stands alone",
    );
    check_error(
        CODED,
        "['layers', 'config:cmd', 'file:.dockerignore']",
        "[]",
        "4: `effects` is empty, expected `[\"none\"]` or what changes",
    );
}

#[test]
fn keys_are_held_against_the_list() {
    let keys = KEYS.map(|key| format!("`{key}`")).join(", ");
    let expected = format!("1: unknown key `sumary`, did you mean `summary`? (allowed: {keys})");
    check_error(CODED, "summary", "sumary", &expected);
    check_error(
        DECLARATIVE,
        "lacks-flag",
        "lack-flag",
        "9: in `match`: unknown key `lack-flag`, did you mean `lacks-flag`? (allowed: `instruction`, `command`, \
             `flag`, `lacks-flag`, `value`, `distro`, `user`, `stage`, `base`)",
    );
    check_error(
        CODED,
        "files =",
        "file =",
        "19: in `example`: unknown key `file`, did you mean `files`? (allowed: `before`, `after`, `files`, `writes`)",
    );
    check_error(
        CODED,
        "effects = ['layers', 'config:cmd', 'file:.dockerignore']",
        "",
        "1: `effects` is missing",
    );
    check_error(
        CODED,
        "about = 'which'",
        "",
        "7: `options.when.about` is missing",
    );
    check_error(
        CODED,
        "after = 'RUN b'",
        "",
        "13: `example.after` is missing",
    );
}

#[test]
fn names_are_held_against_their_lists() {
    check_error(
        CODED,
        "'layers'\n",
        "'layer'\n",
        "2: unknown phase `layer`, did you mean `layers`? (allowed: `normalize`, `stages`, `bases`, `order`, \
             `layers`, `commands`, `cache`, `files`)",
    );
    check_error(
        CODED,
        "['layers',",
        "[\n'layrs',",
        "5: unknown effect `layrs`, did you mean `layers`? (allowed: `layers`, `caches`, `packages`, `registries`, \
             `order`, `sources`, `prefetch`, `build-cache`, `assume-yes`, `temp`, `copy-mode`, `stages`, `prune`, `unused-copies`, \
             `base`, \
             `small-base`, `none`, \
             `config:<key>`, `file:<path>`)",
    );
    let unknown = rule(&CODED.replace("config:cmd", "config:comd")).unwrap_err();
    assert!(unknown.message.starts_with(
            "unknown key of the image configuration `comd`, did you mean `cmd`? (allowed: `author`, `cmd`,"
        ));
    let outside = rule(&CODED.replace("file:.dockerignore", "file:../x")).unwrap_err();
    assert!(outside.message.starts_with("unknown effect `file:../x`"));
    check_error(
        CODED,
        "'safe'",
        "'sure'",
        "3: unknown applicability `sure` (allowed: `suggestion`, `unsafe`, `safe`)",
    );
}

#[test]
fn types_and_texts_are_checked() {
    check_error(
        CODED,
        "'Do it'",
        "1",
        "1: `summary` is a number, expected a string",
    );
    check_error(
        CODED,
        "'Do it'",
        "'Do it.'",
        "1: `summary` is one line without a full stop",
    );
    check_error(CODED, "'Because.'", "' '", "5: `why` is empty");
    check_error(
        CODED,
        "pass = 'join-steps'",
        "pass = 'a'\nenabled = 'no'",
        "7: `enabled` is a string, expected true or false",
    );
    check_error(
        CODED,
        "[data]",
        "[estimate]\nlow = 2\nhigh = 1\nsource = 'x'\n[data]",
        "11: `estimate.low` is above `estimate.high`",
    );
    check_error(
        CODED,
        "default = 'related'",
        "default = 'some'",
        "9: `default` has the unknown value `some` (allowed: `related`, `all`)",
    );
    check_error(
        CODED,
        "= 'layers'",
        "= ",
        "2: not TOML: string values must be quoted, expected literal string",
    );
}

#[test]
fn the_id_is_the_files_name() {
    for name in [
        "rules/Do.toml",
        "rules/do_it.toml",
        "rules/-do.toml",
        "rules/do--it.toml",
    ] {
        let error = parse(Path::new(name), CODED).unwrap_err();
        assert_eq!(error.line, 1);
        assert!(error.message.contains("kebab-case"), "{error}");
    }
}

#[test]
fn a_rule_has_one_action() {
    check_error(
        CODED,
        "pass = 'join-steps'",
        "",
        "1: one of `pass` and `[match]` is missing",
    );
    check_error(
        DECLARATIVE,
        "why =",
        "pass = 'join-steps'\nwhy =",
        "7: only one of `pass` and `[match]` may be given",
    );
    check_error(
        DECLARATIVE,
        "[match]",
        "[data]\n[match]",
        "6: `data` needs `pass`",
    );
    check_error(
        CODED,
        "[data]",
        "[rewrite]\n[data]",
        "11: `rewrite` needs `[match]`",
    );
    check_error(
        DECLARATIVE,
        "[match]",
        "[options.when]\n[match]",
        "6: `options` needs `pass`",
    );
    let error = parse_declarative(Path::new("ci/do-it.toml"), CODED).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ci/do-it.toml:6: `pass` is for the rules of dockeropt itself: write `[match]` and `[rewrite]`"
    );
}

#[test]
fn a_rule_has_an_example_that_shows_it_at_work() {
    let (without, _) = CODED.split_once("[[example]]").unwrap();
    assert_eq!(rule(without).unwrap_err().message, "`example` is missing");
    check_error(
        CODED,
        "after = 'RUN b'",
        "after = 'RUN a'",
        "13: the first `[[example]]` shows the rule at work: `after` equals `before`",
    );
}

#[test]
fn a_rule_that_only_reports_is_a_suggestion_with_a_message() {
    let report = DECLARATIVE.replace(
        "[rewrite]\nadd-flag = '--index-url=https://pypi.example.com/simple'\n",
        "",
    );
    assert_eq!(
        rule(&report).unwrap_err().to_string(),
        "rules/do-it.toml:6: without `[rewrite]`, `message` is needed"
    );
    let report = report.replace("[match]", "message = 'no mirror'\n[match]");
    assert_eq!(
        rule(&report).unwrap_err().to_string(),
        "rules/do-it.toml:3: without `[rewrite]`, `applicability` is `suggestion`"
    );
    assert!(rule(&report.replace("'unsafe'", "'suggestion'")).is_ok());
}
