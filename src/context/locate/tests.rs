//! The order is that of the rule "Which directory is the context": given, named by files, found by its sources.

use super::*;
use crate::context::MemoryContext;

fn find(
    files: &[(&str, &str)],
    dockerfile: &str,
    copies: &[&[&str]],
    given: Option<&str>,
) -> Location {
    let workspace: MemoryContext = files.iter().copied().collect();
    let declared = Declared::search(&workspace);
    let copies: Vec<Vec<String>> = copies
        .iter()
        .map(|sources| sources.iter().map(ToString::to_string).collect())
        .collect();
    locate(&workspace, &declared, dockerfile, &copies, given)
}

fn directory(files: &[(&str, &str)], dockerfile: &str, copies: &[&[&str]]) -> Result<String, How> {
    let location = find(files, dockerfile, copies, None);
    location.directory.ok_or(location.how)
}

fn ok(directory: &str) -> Result<String, How> {
    Ok(directory.to_owned())
}

const APP: &[(&str, &str)] = &[
    ("app/Dockerfile", ""),
    ("app/package.json", ""),
    ("app/src/a.js", ""),
    ("docker/Dockerfile", ""),
    ("package.json", ""),
    ("only-at-root", ""),
];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [APP, more].concat()
}

#[test]
fn what_is_given_holds() {
    let files = with(&[("compose.yaml", "services: {a: {build: app}}")]);
    let location = find(&files, "app/Dockerfile", &[&["nothing"]], Some("./docker/"));
    assert_eq!(
        (location.directory.as_deref(), location.how),
        (Some("docker"), How::Given)
    );
}

#[test]
fn its_own_directory_where_everything_is_there() {
    assert_eq!(
        directory(
            APP,
            "app/Dockerfile",
            &[&["package.json"], &["src"], &["."]]
        ),
        ok("app")
    );
    assert_eq!(directory(APP, "app/Dockerfile", &[]), ok("app"));
    assert_eq!(
        directory(APP, "app/Dockerfile", &[&["package*.json", "yarn.loc[k]"]]),
        ok("app")
    );
    assert_eq!(
        directory(
            APP,
            "app/Dockerfile",
            &[&["https://x.org/y"], &["$NAME.txt"]]
        ),
        ok("app")
    );
}

#[test]
fn else_the_only_directory_above() {
    assert_eq!(
        directory(
            APP,
            "app/Dockerfile",
            &[&["package.json"], &["only-at-root"]]
        ),
        ok("")
    );
    assert_eq!(
        directory(APP, "docker/Dockerfile", &[&["app/src"], &["."]]),
        ok("")
    );
    assert_eq!(
        find(APP, "docker/Dockerfile", &[&["package*.json"]], None).how,
        How::Above
    );
    let missing = Err(How::Missing("dist".to_owned()));
    assert_eq!(
        directory(APP, "app/Dockerfile", &[&["package.json"], &["dist"]]),
        missing
    );
}

#[test]
fn two_directories_above_are_one_too_many() {
    let files = [
        ("a/b/Dockerfile", ""),
        ("a/b/x", ""),
        ("a/lib/y", ""),
        ("lib/y", ""),
    ];
    let several = Err(How::Several(vec!["a".to_owned(), String::new()]));
    assert_eq!(directory(&files, "a/b/Dockerfile", &[&["lib"]]), several);
}

#[test]
fn what_is_ignored_is_not_there() {
    let files = with(&[("app/.dockerignore", "package.json")]);
    assert_eq!(
        directory(&files, "app/Dockerfile", &[&["package.json"]]),
        ok("")
    );
    let files = with(&[("app/Dockerfile.dockerignore", "package.json")]);
    assert!(
        directory(&files, "app/Dockerfile", &[&["package.json"]]).is_err(),
        "it holds for every context"
    );
    let files = with(&[("app/.dockerignore", "[")]);
    assert_eq!(
        directory(&files, "app/Dockerfile", &[&["package.json"]]),
        ok(""),
        "the build would fail"
    );
}

#[test]
fn a_directory_of_dockerfiles_is_hardly_a_context() {
    assert_eq!(
        directory(APP, "docker/Dockerfile", &[&["."]]),
        Err(How::Empty)
    );
    assert_eq!(
        directory(&[("Dockerfile", "")], "Dockerfile", &[&["."]]),
        ok(""),
        "the workspace itself may be empty"
    );
}

#[test]
fn files_that_name_it() {
    for (file, text) in [
        (
            "compose.yaml",
            "services: {a: {build: {context: ., dockerfile: docker/Dockerfile}}}",
        ),
        (
            "deploy/docker-compose.prod.yml",
            "services: {a: {build: {context: .., dockerfile: docker/Dockerfile}}}",
        ),
        (
            "docker-bake.hcl",
            "target \"a\" {\n  dockerfile = \"docker/Dockerfile\"\n}\n",
        ),
        (
            "docker-bake.json",
            "{\"target\": {\"a\": {\"dockerfile\": \"docker/Dockerfile\"}}}",
        ),
        (
            ".github/workflows/ci.yml",
            "jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {context: ., file: docker/Dockerfile}}]}}",
        ),
        (
            ".gitlab-ci.yml",
            "a: {script: [docker build -f docker/Dockerfile .]}",
        ),
        (
            "Makefile",
            "image:\n\tdocker build -f docker/Dockerfile .\n",
        ),
        ("scripts/build.sh", "docker build -f docker/Dockerfile .\n"),
    ] {
        let location = find(&with(&[(file, text)]), "docker/Dockerfile", &[&["."]], None);
        assert_eq!(
            location.directory.as_deref(),
            Some(""),
            "{file}: {:?}",
            location.how
        );
        assert!(
            matches!(&location.how, How::Named(named, _) if named == file),
            "{:?}",
            location.how
        );
        assert_eq!(location.targets, Some(BTreeSet::new()));
    }
}

#[test]
fn a_file_beats_existence_and_others_builds_do_not_count() {
    let files = with(&[(
        "compose.yaml",
        "services: {a: {build: {context: ., dockerfile: app/Dockerfile}}, b: {build: docker}}",
    )]);
    assert_eq!(
        directory(&files, "app/Dockerfile", &[&["package.json"]]),
        ok("")
    );
    let location = find(&files, "app/Dockerfile", &[], None);
    assert_eq!(
        location.how.to_string(),
        "the build context is named by service `a` of `compose.yaml`"
    );
    assert_eq!(
        directory(&files, "other/Dockerfile", &[&["package.json"]]),
        ok("")
    );
}

#[test]
fn two_names_are_settled_by_the_sources_or_not_at_all() {
    let files = with(&[
        ("compose.yaml", "services: {a: {build: app}}"),
        ("Makefile", "a:\n\tdocker build -f app/Dockerfile .\n"),
    ]);
    assert_eq!(
        directory(&files, "app/Dockerfile", &[&["only-at-root"]]),
        ok("")
    );
    assert_eq!(directory(&files, "app/Dockerfile", &[&["src"]]), ok("app"));
    let several = Err(How::NamedSeveral(vec![String::new(), "app".to_owned()]));
    assert_eq!(
        directory(&files, "app/Dockerfile", &[&["package.json"]]),
        several
    );
    assert_eq!(directory(&files, "app/Dockerfile", &[&["dist"]]), several);
}

#[test]
fn names_that_lead_elsewhere() {
    let named = |context: &str| {
        let text = format!("a:\n\tdocker build -f app/Dockerfile {context}\n");
        directory(&with(&[("Makefile", &text)]), "app/Dockerfile", &[])
    };
    let elsewhere = |place| {
        Err(How::NamedElsewhere(
            "Makefile".to_owned(),
            "a recipe".to_owned(),
            place,
        ))
    };
    assert_eq!(
        named("$(DIR)"),
        elsewhere(Place::Unreadable("$(DIR)".to_owned()))
    );
    assert_eq!(named("../x"), elsewhere(Place::Outside("../x".to_owned())));
    assert_eq!(named("/x"), elsewhere(Place::Outside("/x".to_owned())));
    assert_eq!(
        named("git@github.com:a/b"),
        elsewhere(Place::Remote("git@github.com:a/b".to_owned()))
    );
    assert_eq!(named("none"), elsewhere(Place::Inside("none".to_owned())));
}

#[test]
fn a_broken_file_nearby_might_have_named_it() {
    for file in [
        "compose.yaml",
        "app/compose.yaml",
        ".github/workflows/x.yml",
    ] {
        let how = find(&with(&[(file, "a: [")]), "app/Dockerfile", &[], None).how;
        assert!(
            matches!(&how, How::Broken(broken, _) if broken == file),
            "{how}"
        );
    }
    assert_eq!(
        directory(
            &with(&[("other/compose.yaml", "a: [")]),
            "app/Dockerfile",
            &[]
        ),
        ok("app")
    );
}

#[test]
fn targets_arguments_and_named_contexts() {
    let compose = "services:\n  a:\n    build:\n      context: app\n      target: dev\n      args: {A: 1, B: 2, C: 3}\n      additional_contexts: {base: x}\n  b:\n    build:\n      context: app\n      target: prod\n      args: {A: 1, B: x}\n  c:\n    build: {context: docker, target: other, args: {D: 1}}\n";
    let location = find(
        &with(&[("compose.yaml", compose)]),
        "app/Dockerfile",
        &[],
        None,
    );
    let targets: Vec<String> = location.targets.into_iter().flatten().collect();
    assert_eq!(targets, ["dev", "prod"]);
    let args: Vec<_> = location
        .args
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_deref()))
        .collect();
    assert_eq!(args, [("A", Some("1")), ("B", None), ("C", None)]);
    assert_eq!(
        location.named_contexts.get("base"),
        Some(&Some(Place::Inside("x".to_owned())))
    );
    assert_eq!(location.target, None);
    assert_eq!(location.built_by.len(), 2);
    let unread = with(&[(
        "compose.yaml",
        "services: {a: {build: {context: app, target: $T}}}",
    )]);
    assert_eq!(find(&unread, "app/Dockerfile", &[], None).targets, None);
}

#[test]
fn a_lower_case_dockerfile_stands_in() {
    let files = [
        ("app/dockerfile", ""),
        (
            "compose.yaml",
            "services: {a: {build: {context: app, target: t}}}",
        ),
    ];
    let location = find(&files, "app/dockerfile", &[], None);
    assert_eq!(location.targets, Some(BTreeSet::from(["t".to_owned()])));
}

#[test]
fn the_search_is_bounded() {
    let many = (0..=100).map(|index| (format!("many/{index}"), ""));
    let workspace: MemoryContext = many
        .chain([(
            "many/z/compose.yaml".to_owned(),
            "services: {a: {build: .}}",
        )])
        .collect();
    let declared = Declared::search_up_to(&workspace, 100);
    assert_eq!((declared.builds.len(), declared.truncated), (0, true));
    assert_eq!(
        locate(&workspace, &declared, "many/Dockerfile", &[], None).targets,
        None
    );
    let skipped = MemoryContext::from([
        ("node_modules/a/compose.yaml", "services: {a: {build: .}}"),
        (".x/compose.yaml", "["),
    ]);
    let declared = Declared::search(&skipped);
    assert_eq!(
        (
            declared.builds.len(),
            declared.broken.len(),
            declared.truncated
        ),
        (0, 0, false)
    );
}
