//! The wrong rewrites that other tools make: what the whole chain must never do to the Dockerfiles of
//! `tests/cases/traps`. The snapshots show what it does; these tests say what must not happen, whatever it does.

use dockeropt::report::Report;
use dockeropt::syntax::{Dockerfile, Instruction, Keyword};

use crate::files::{folders_in, repository};
use crate::run::{case_chain, context_of, dockerfile_of, run};

/// The report on one trap.
fn trap(name: &str) -> Report {
    let folder = repository("tests/cases/traps").join(name);
    run(
        &case_chain("traps", &folder),
        context_of(&folder).as_ref(),
        &dockerfile_of(&folder),
    )
}

/// A trap's text after the run without its comment lines, which speak of what must not happen.
fn after(name: &str) -> String {
    let text = String::from_utf8(trap(name).output).unwrap();
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect()
}

/// The arguments of each instruction of that kind as one line each, runs of blanks as one blank.
fn arguments(text: &str, keyword: Keyword) -> Vec<String> {
    let file = Dockerfile::parse(text.as_bytes());
    let wanted = file.instructions().filter(|one| one.keyword == keyword);
    wanted.map(line).collect()
}

fn line(one: &Instruction) -> String {
    let text = String::from_utf8_lossy(one.args_text()).into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn runs(text: &str) -> Vec<String> {
    arguments(text, Keyword::Run)
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

/// Both words stand in one RUN, the first before the second.
fn in_one_step(text: &str, first: &str, second: &str) -> bool {
    let ordered = |run: &String| run.find(first).is_some_and(|at| run[at..].contains(second));
    runs(text).iter().any(ordered)
}

#[track_caller]
fn assert_keeps_lines(name: &str, lines: &[&str]) {
    let text = after(name);
    for line in lines {
        assert!(
            text.lines().any(|found| found == *line),
            "`{line}` is gone from {name}:\n{text}"
        );
    }
}

#[test]
fn all_but_the_broken_trap_are_accepted_before_and_after() {
    for folder in folders_in(&repository("tests/cases/traps")) {
        let before = dockerfile_of(&folder);
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let accepted = Dockerfile::parse(&before).is_accepted();
        assert_eq!(
            accepted,
            name != "10-refused",
            "{name}: {:?}",
            Dockerfile::parse(&before).errors
        );
        assert_eq!(
            Dockerfile::parse(&trap(&name).output).is_accepted(),
            accepted,
            "{name}"
        );
    }
}

#[test]
fn trap_1_each_package_stays_and_nothing_else_becomes_one() {
    let text = after("01-package-list");
    let installs: Vec<String> = runs(&text)
        .into_iter()
        .filter(|run| run.contains("install"))
        .collect();
    let packages = |run: &String| -> Vec<String> {
        let list = run
            .split("apt-get install")
            .nth(1)
            .unwrap()
            .split("&&")
            .next()
            .unwrap();
        let words = list
            .split(' ')
            .filter(|word| !word.is_empty() && !word.starts_with('-'));
        words.map(str::to_owned).collect()
    };
    let named: Vec<String> = installs.iter().flat_map(packages).collect();
    for package in ["zlib1g-dev", "libxml2-dev", "curl", "git", "vim", "less"] {
        assert_eq!(
            named.iter().filter(|name| *name == package).count(),
            1,
            "{package}:\n{text}"
        );
    }
    assert!(named.iter().all(|name| !name.contains('\\')), "{named:?}");
    assert_eq!(runs(&text).len(), 3, "{text}");
}

#[test]
fn trap_2_a_flag_behind_the_packages_counts() {
    let text = after("02-flag-after-packages");
    let steps = runs(&text);
    assert_eq!(
        steps[0].matches("--no-install-recommends").count(),
        1,
        "{text}"
    );
    assert_eq!(steps[1].matches(" -y").count(), 1, "{text}");
}

#[test]
fn trap_3_values_are_the_same() {
    let text = after("03-legacy-env");
    assert!(!text.contains("OPTS=\\\n"), "{text}");
    assert!(
        !text.contains(r#""'A"#) && !text.contains(r#"\'A"#),
        "{text}"
    );
    let environment = arguments(&text, Keyword::Env).join("\n");
    for words in ["-Xmx1g -server", "hello", "$HOME"] {
        assert!(environment.contains(words), "{words}: {text}");
    }
}

#[test]
fn trap_4_fixes_on_one_range_are_not_spliced() {
    let text = after("04-fixes-on-one-range");
    assert_eq!(count(&text, "rm -rf webapps/ROOT"), 1, "{text}");
    assert_eq!(arguments(&text, Keyword::Workdir), ["/core"]);
    for command in ["flask", "gunicorn", "requests"] {
        assert_eq!(count(&text, command), 1, "{command}: {text}");
    }
    assert_eq!(count(&text, "--no-cache-dir"), 3, "{text}");
}

#[test]
fn trap_5_comments_stay_and_end_nothing() {
    let before = String::from_utf8(trap("05-comments-in-a-step").source.text).unwrap();
    let text = String::from_utf8(trap("05-comments-in-a-step").output).unwrap();
    for comment in before
        .lines()
        .filter(|line| line.trim_start().starts_with('#'))
    {
        assert!(
            text.lines().any(|line| line.trim() == comment.trim()),
            "`{comment}`:\n{text}"
        );
    }
    let last = runs(&text).pop().unwrap();
    assert!(
        last.contains("vim RUN echo this is still the step above"),
        "{text}"
    );
    assert!(in_one_step(&text, "apt-get install -y", "make"), "{text}");
}

#[test]
fn trap_6_here_documents_are_untouched() {
    let report = trap("06-heredocs");
    let bodies = |text: &[u8]| -> Vec<String> {
        let file = Dockerfile::parse(text);
        let heredocs = file.instructions().flat_map(|one| &one.heredocs);
        heredocs
            .map(|one| String::from_utf8_lossy(one.body.of(text)).into_owned())
            .collect()
    };
    let (before, after) = (bodies(&report.source.text), bodies(&report.output));
    assert_eq!(before.len(), after.len());
    assert_eq!(
        before[1..],
        after[1..],
        "only a script that is one here-document may be edited"
    );
    let script: Vec<&str> = before[0].lines().collect();
    let kept = |line: &&str| {
        after[0]
            .lines()
            .any(|found| found == *line || found.contains("install"))
    };
    assert!(script.iter().all(kept), "{}", after[0]);
    let text = String::from_utf8(report.output).unwrap();
    assert!(
        text.contains("RUN <<EOF\n"),
        "nothing stands behind the opener:\n{text}"
    );
}

#[test]
fn trap_7_other_escape_characters_stay_alone() {
    let text = after("07-escape-backtick");
    assert!(
        !text.lines().any(|line| line.trim_end().ends_with("&& \\")),
        "{text}"
    );
    assert_eq!(count(&text, "\\"), 2, "{text}");
}

#[test]
fn trap_7_line_ends_stay() {
    let report = trap("07-crlf");
    let lines: Vec<&[u8]> = report
        .output
        .split_inclusive(|byte| *byte == b'\n')
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line.ends_with(b"\r\n") && !line.ends_with(b"\r\r\n"))
    );
    assert!(!report.output.windows(2).any(|pair| pair == b"<<"));
    assert!(!trap("07-no-last-newline").output.ends_with(b"\n"));
}

#[test]
fn trap_7_first_lines_stay_first() {
    let report = trap("07-first-lines");
    let head: Vec<&[u8]> = report
        .source
        .text
        .split_inclusive(|byte| *byte == b'\n')
        .take(5)
        .collect();
    assert!(report.output.starts_with(&head.concat()));
    assert_eq!(
        report.output.iter().filter(|byte| **byte == 0xe9).count(),
        4,
        "bytes that are not UTF-8"
    );
}

#[test]
fn trap_8_compound_commands_keep_their_shape() {
    let text = after("08-compound-commands");
    for part in [
        r#"for key in A B; do curl -fsSL "https://example.com/$key" | gpg --import; done"#,
        "if ! gpg --list-keys; then exit 1; fi",
        "while ! apt-get update; do sleep 1; done;",
    ] {
        assert!(text.contains(part), "`{part}`:\n{text}");
    }
    for run in runs(&text) {
        for (open, close) in [("do ", "done"), ("then ", "fi"), ("case ", "esac")] {
            let inside = run.find(open).zip(run.rfind(close));
            let body = inside
                .map(|(start, end)| run[start..end].to_owned())
                .unwrap_or_default();
            assert!(
                !body.contains("rm -rf"),
                "lists removed inside of `{open}…{close}`: {run}"
            );
        }
    }
}

#[test]
fn trap_9_flags_and_neighbours_stay() {
    let text = after("09-flags-and-neighbours");
    assert_keeps_lines(
        "09-flags-and-neighbours",
        &[
            "FROM --platform=$BUILDPLATFORM node:14 AS dev",
            "RUN --mount=type=cache,target=/var/cache/apt apt-get update",
            "ARG VERSION=1",
            "WORKDIR /src",
            "RUN adduser --home=/x app",
            "RUN --network=none --mount=type=bind,target=/src make",
        ],
    );
    assert!(!text.contains("&& --"), "{text}");
    assert!(
        arguments(&text, Keyword::Env)[0].contains("noninteractive"),
        "{text}"
    );
    assert!(!in_one_step(&text, "update", "make$VERSION"), "{text}");
}

#[test]
fn trap_10_a_refused_file_is_reported_and_left_alone() {
    let report = trap("10-refused");
    assert_eq!(report.output, report.source.text);
    assert!(!report.refused.is_empty());
    assert!(report.findings.is_empty() && report.withheld.is_empty());
}

#[test]
fn trap_11_lists_stay_while_a_later_install_needs_them() {
    for name in [
        "11-later-install",
        "11-stage-on-a-stage",
        "11-scripts-and-triggers",
    ] {
        let text = after(name);
        let first = &runs(&text)[0];
        assert!(
            !first.contains("rm -rf /var/lib/apt/lists"),
            "{name}:\n{text}"
        );
    }
    let text = after("11-one-list");
    let step = &runs(&text)[0];
    let removed = step.find("rm -rf /var/lib/apt/lists").unwrap_or(step.len());
    assert!(step.rfind("apt-get install").unwrap() < removed, "{text}");
}

#[test]
fn trap_12_the_shell_options_are_not_changed() {
    let text = after("12-pipes-and-semicolons");
    assert!(
        !text.contains("pipefail") && !text.contains("set -e"),
        "{text}"
    );
    assert!(
        text.contains("apt-get update ; apt-get install -y"),
        "{text}"
    );
    assert!(
        text.contains(" ; false ; make"),
        "a failure in the list does not end it:\n{text}"
    );
    assert!(
        !in_one_step(&text, "set -x", "vim"),
        "`set -x` leaks into the next step:\n{text}"
    );
}

#[test]
fn trap_13_base_images_are_not_updated() {
    assert_keeps_lines(
        "13-base-images",
        &["FROM ubuntu:14.04 AS old", "FROM ruby:3.4-stretch"],
    );
}

#[test]
fn trap_14_what_looks_double_is_kept() {
    let text = after("14-duplicates");
    assert_keeps_lines(
        "14-duplicates",
        &["ENV PATH=/opt/a/bin:$PATH", "ENV PATH=/opt/b/bin:$PATH"],
    );
    assert_eq!(
        arguments(&text, Keyword::Env)
            .iter()
            .filter(|env| env.starts_with("HOME"))
            .count(),
        2
    );
    assert_eq!(count(&text, "apt-get update"), 4, "{text}");
    let listed = &text[text.find("sources.list.d/example.list").unwrap()..];
    assert!(
        listed.find("apt-get update") < listed.find("install"),
        "{text}"
    );
}

#[test]
fn trap_17_add_stays_where_it_does_more_than_copy() {
    let stays = [
        "ADD https://example.com/tool.tar.gz /opt/",
        "ADD https://github.com/moby/buildkit.git#v0.10.1 /src",
        "ADD git@github.com:moby/buildkit.git /src2",
        "ADD app.tar.gz /opt/app",
        "ADD unnamed /opt/unnamed",
        "ADD $FILE /opt/",
        "COPY --chmod=755 plain.txt /opt/",
    ];
    assert_keeps_lines("17-add", &stays);
    let becomes = [
        "COPY plain.txt /opt/",
        "COPY text.tar.gz /opt/text",
        "COPY src /opt/src",
    ];
    assert_keeps_lines("17-add", &becomes);
    let unknown = [
        "ADD app.tar.gz /opt/app",
        "ADD app.tgz app.txz /opt/app/",
        "ADD app* /opt/",
        "ADD https://example.com/x /x",
    ];
    assert_keeps_lines("17-add-without-context", &unknown);
}

#[test]
fn trap_17_modes_are_octal() {
    let text = after("17-chmod");
    assert!(
        !text.contains("--chmod=+") && !text.contains("--chmod=u"),
        "{text}"
    );
    assert_keeps_lines("17-chmod", &["RUN chmod u+x /conf"]);
}

#[test]
fn trap_21_files_get_no_owner_before_there_is_one() {
    assert_keeps_lines(
        "21-accounts",
        &[
            "RUN useradd -r app && chown -R app:app /srv/app",
            "USER app",
        ],
    );
}

#[test]
fn trap_22_the_shell_stays_where_it_is_needed() {
    assert_keeps_lines("22-list", &["CMD migrate && serve"]);
    assert_keeps_lines("22-variable", &["CMD serve --port $PORT"]);
    assert_keeps_lines("22-entrypoint", &["ENTRYPOINT serve", "CMD all"]);
}

#[test]
fn trap_23_recommended_packages_that_are_needed_come_along() {
    let text = after("23-recommended");
    for (package, companion) in [("curl", "ca-certificates"), ("gcc", "libc6-dev")] {
        let install = runs(&text)
            .into_iter()
            .find(|run| run.contains("install") && run.contains(package));
        let install = install.unwrap();
        let is_bare = install.contains("--no-install-recommends") && !install.contains(companion);
        assert!(!is_bare, "{package} without {companion}: {install}");
    }
    let text = after("23-recommended-named");
    for companion in ["ca-certificates", "libc6-dev"] {
        assert_eq!(count(&text, companion), 1, "{text}");
    }
}

#[test]
fn trap_24_archives_are_removed_where_they_are_or_not_at_all() {
    let text = after("24-archives");
    let steps = runs(&text);
    let entered = steps[0].find("cd x").expect("the step has a `cd`");
    assert!(!steps[0][entered..].contains("rm "), "after `cd`: {text}");
    assert_eq!(count(&text, "rm y.tar.gz"), 1, "{text}");
    assert_eq!(count(&text, "rm z.tar.gz"), 1, "{text}");
}

#[test]
fn trap_25_sudo_stays() {
    let before = String::from_utf8(trap("25-sudo").source.text).unwrap();
    assert_eq!(count(&after("25-sudo"), "sudo"), count(&before, "sudo"));
}

#[test]
fn trap_31_a_second_run_changes_nothing() {
    for folder in folders_in(&repository("tests/cases/traps")) {
        let context = context_of(&folder);
        let chain = case_chain("traps", &folder);
        let first = run(&chain, context.as_ref(), &dockerfile_of(&folder));
        let second = run(&chain, context.as_ref(), &first.output);
        let (first, second) = (first.output, second.output);
        let name = folder.display();
        assert_eq!(
            String::from_utf8_lossy(&first),
            String::from_utf8_lossy(&second),
            "{name}"
        );
    }
    let text = after("31-settles");
    assert_eq!(count(&text, "apt-get update"), 3, "{text}");
}

#[test]
fn trap_19_mounts_cover_caches_that_are_kept() {
    let target = after("19-target");
    assert!(
        target.contains("target=/usr/local/cargo/registry"),
        "{target}"
    );
    assert!(!target.contains("/src/target"), "{target}");
    let modules = after("19-node-modules");
    assert!(modules.contains("--mount="), "{modules}");
    assert!(!modules.contains("/app/node_modules"), "{modules}");

    let apt = after("19-apt");
    assert_eq!(count(&apt, "sharing=locked"), 4, "{apt}");
    for id in [
        "cache-debian-bookworm",
        "lists-debian-bookworm",
        "cache-ubuntu-24.04",
        "lists-ubuntu-24.04",
    ] {
        assert_eq!(count(&apt, &format!("id=apt-{id},")), 1, "{apt}");
    }
    assert!(!apt.contains("rm -rf"), "{apt}");
    let undone = "rm -f /etc/apt/apt.conf.d/docker-clean";
    for run in runs(&apt) {
        let update = run.find("apt-get update");
        assert!(
            run.find(undone).is_some_and(|at| Some(at) < update),
            "{run}"
        );
    }

    for run in runs(&after("19-apk")) {
        assert!(
            run.contains("apk add -U") || run.contains("apk update"),
            "{run}"
        );
        assert!(!run.contains("--no-cache"), "{run}");
    }
}

#[test]
fn trap_16_a_stage_that_builds_keeps_its_development_packages() {
    let text = after("16-development-packages");
    let install = runs(&text)
        .into_iter()
        .find(|run| run.contains("npm install"));
    let install = install.expect("the install stays");
    for flag in ["--omit", "--production", "--only"] {
        assert!(!install.contains(flag), "{install}");
    }
    assert_keeps_lines("16-development-packages", &["RUN npm run build"]);
    assert_eq!(count(&after("16-development-packages"), "NODE_ENV"), 0);
}
