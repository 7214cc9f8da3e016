//! What the guard lets through and what it stops, effect by effect: for each at least twice as much of the latter.

use dockeropt::guard::{Violation, check};
use dockeropt::rule::Effect;

/// The effects of that name, blanks between them; `none` for none.
pub(crate) fn effects(names: &str) -> Vec<Effect> {
    let names = names.split(' ').filter(|name| *name != "none");
    names.map(|name| name.parse().unwrap()).collect()
}

fn verdict(names: &str, before: &str, after: &str) -> Result<(), Violation> {
    check(before.as_bytes(), after.as_bytes(), &effects(names))
}

/// A Dockerfile of these lines behind a FROM, unless they begin with one.
fn file(body: &str) -> String {
    let starts = ["FROM", "ARG", "#"]
        .iter()
        .any(|word| body.starts_with(word));
    match starts {
        true => format!("{body}\n"),
        false => format!("FROM debian:12\n{body}\n"),
    }
}

#[track_caller]
pub(crate) fn passes(names: &str, before: &str, after: &str) {
    if let Err(stopped) = verdict(names, &file(before), &file(after)) {
        panic!("stopped: {stopped:?}\n{before}\n->\n{after}");
    }
}

#[track_caller]
pub(crate) fn stops(names: &str, before: &str, after: &str) -> Violation {
    match verdict(names, &file(before), &file(after)) {
        Err(stopped) => stopped,
        Ok(()) => panic!("let through:\n{before}\n->\n{after}"),
    }
}

/// Stops each of `afters`, which stand beside one good rewrite of `before`.
#[track_caller]
pub(crate) fn only(names: &str, before: &str, good: &str, bad: &[&str]) {
    passes(names, before, good);
    assert!(bad.len() >= 2, "one good, two bad");
    for after in bad {
        stops(names, before, after);
    }
}

#[test]
fn violations_say_where() {
    let stopped = stops("none", "RUN a && b\nRUN c", "RUN a && b\nRUN d");
    assert_eq!(
        (stopped.line, stopped.reason.as_str()),
        (3, "`c` becomes `d`")
    );
    let stopped = stops("none", "RUN a\nRUN b", "RUN a");
    assert_eq!(stopped.reason, "`RUN b` is gone");
    let stopped = stops("none", "RUN a", "RUN a\nRUN 'b");
    assert_eq!(stopped.line, 3);
}

#[test]
fn nothing_is_let_through_without_an_effect() {
    only(
        "none",
        "ENV A b c\nRUN x",
        "ENV A=\"b c\"\nRUN x",
        &[
            "ENV A=b\\ d\nRUN x",
            "ENV A=\"b c\" B=1\nRUN x",
            "ENV A='b c '\nRUN x",
        ],
    );
    only(
        "none",
        "ENV P $Q:/x",
        "ENV P=$Q:/x",
        &["ENV P='$Q:/x'", "ENV P=\\$Q:/x", "ENV P=:/x", "ENV P=$R:/x"],
    );
    only(
        "none",
        "ENV A $B c",
        "ENV A=\"$B c\"",
        &["ENV A=\"$B  c\"", "ENV A=\"${B:-x} c\"", "ENV A='$B c'"],
    );
    only(
        "none",
        "LABEL m A <b@c>",
        "LABEL m=\"A <b@c>\"",
        &["LABEL m=\"'A <b@c>'\"", "LABEL M=\"A <b@c>\"", "LABEL m=A"],
    );
    only(
        "none",
        "ADD a b /c/",
        "COPY a b /c/",
        &[
            "COPY a /c/",
            "COPY b a /c/",
            "COPY a b /d/",
            "COPY --chown=1 a b /c/",
        ],
    );
    only(
        "none",
        "RUN a && \\\n\n  b",
        "RUN a && \\\n  b",
        &["RUN a && \\\n  c", "RUN a && \\\n  #b", "RUN a || \\\n  b"],
    );
    only(
        "none",
        "FROM --platform=$TARGETPLATFORM a AS x",
        "FROM a AS X",
        &[
            "FROM a",
            "FROM a AS y",
            "FROM b AS x",
            "FROM --platform=$BUILDPLATFORM a AS x",
        ],
    );
    only(
        "none",
        "RUN apt update && apt install -y x",
        "RUN apt-get update && apt-get install -y x",
        &[
            "RUN apt-get update; apt-get install -y x",
            "RUN apt-get update && apt-get install x",
            "RUN apt-get update && aptitude install -y x",
        ],
    );
    only(
        "none",
        "WORKDIR /a\nCOPY x ./",
        "WORKDIR /a\nCOPY x /a/",
        &[
            "WORKDIR /a\nCOPY x /a",
            "WORKDIR /a\nCOPY x /b/",
            "WORKDIR /b\nCOPY x /a/",
        ],
    );
    only(
        "none",
        "RUN a 'b' \"c\"",
        "RUN a b c",
        &["RUN a 'b c'", "RUN a b", "RUN a b $c"],
    );
}

#[test]
fn comments_and_spelling_mean_nothing() {
    passes(
        "none",
        "# a\nFROM x\nRUN a \\\n# b\n  && c",
        "# d\nFROM x\nRUN a && c\n# e",
    );
    passes("none", "FROM x\nrun a", "FROM x\nRUN a");
    passes("none", "RUN if a; then  b; fi", "RUN if a; \\\n then b; fi");
    stops("none", "# escape=`\nFROM x", "# escape=\\\nFROM x");
    stops(
        "none",
        "# syntax=docker/dockerfile:1\nFROM x",
        "# x\n# syntax=docker/dockerfile:1\nFROM x",
    );
    stops("none", "ARG A=1\nFROM x", "ARG A=2\nFROM x");
    stops("none", "ARG A\nFROM x", "ARG A\nARG B\nFROM x");
    stops("none", "RUN if a; then b; fi", "RUN if a; then b; b; fi");
    stops(
        "none",
        "RUN for x in a b; do c; done",
        "RUN for x in a; do c; done",
    );
    stops(
        "none",
        "RUN case $x in a) b;; esac",
        "RUN case $x in c) b;; esac",
    );
    stops("none", "RUN a | b", "RUN a |& b");
    stops("none", "RUN ! a", "RUN a");
    stops("none", "RUN a > b", "RUN a >> b");
    stops("none", "RUN a 2>&1", "RUN a");
    stops("none", "RUN A=1 b", "RUN b");
    stops("none", "RUN a &", "RUN a");
    stops("none", "RUN [ \"a\" ]", "RUN a");
    stops("none", "RUN [\"a\", \"b\"]", "RUN [\"a\", \"c\"]");
    stops("none", "RUN a $(b)", "RUN a $(c)");
    stops("none", "CMD a", "CMD [\"a\"]");
    stops("none", "HEALTHCHECK --retries=2 CMD a", "HEALTHCHECK CMD a");
    stops("none", "ONBUILD RUN a", "ONBUILD RUN b");
}

#[test]
fn here_documents_are_compared() {
    passes("none", "RUN <<E\na\nb\nE", "RUN <<E\na\n\nb\nE");
    stops("none", "RUN <<E\na\nb\nE", "RUN <<E\nset -e\na\nb\nE");
    stops("none", "RUN <<E\na\nb\nE", "RUN <<E\na && b\nE");
    stops(
        "none",
        "RUN <<E\ncat <<X > /f\n# a\nX\nE",
        "RUN <<E\ncat <<X > /f\nX\nE",
    );
    stops("none", "RUN cat <<E > /f\na\nE", "RUN cat <<E > /f\nb\nE");
    stops("none", "RUN cat <<E > /f\na\nE", "RUN cat <<'E' > /f\na\nE");
    stops("none", "COPY <<E /f\na\nE", "COPY <<E /f\na \nE");
    stops(
        "none",
        "RUN <<E\n#!/usr/bin/python3\nx\nE",
        "RUN <<E\n#!/usr/bin/python3\n x\nE",
    );
    stops(
        "caches",
        "RUN cat <<E > /f && apt-get install x\na\nE",
        "RUN cat <<E > /f && apt-get install x && rm -rf /var/lib/apt/lists/*\nb\nE",
    );
}

#[test]
fn layers_join_what_is_alike() {
    only(
        "layers",
        "RUN a\n# why\nRUN b c",
        "RUN a \\\n# why\n && b c",
        &[
            "RUN a ; b c",
            "RUN a || b c",
            "RUN b c && a",
            "RUN a && b",
            "RUN a && b c && d",
            "RUN a & b c",
        ],
    );
    only(
        "layers",
        "RUN a\nRUN b; c",
        "RUN a && { b; c; }",
        &[
            "RUN a && b; c",
            "RUN a && { b && c; }",
            "RUN { a; b; } && c",
            "RUN a && (b; c) && d",
        ],
    );
    only(
        "layers",
        "RUN a; b\nRUN c",
        "RUN a; b && c",
        &["RUN a; b; c", "RUN a && b && c"],
    );
    only(
        "layers",
        "RUN a\nRUN b\nRUN c\nRUN d",
        "RUN a && b\nRUN c && d",
        &[
            "RUN a && b && d\nRUN c",
            "RUN a && b\nRUN d && c",
            "RUN a\nRUN c && d",
        ],
    );
    only(
        "layers",
        "RUN (cd a && b)\nRUN c",
        "RUN (cd a && b) && c",
        &["RUN (cd a && b && c)", "RUN cd a && b && c"],
    );
    only(
        "layers",
        "RUN --mount=type=cache,target=/c a\nRUN --mount=type=cache,target=/c b",
        "RUN --mount=type=cache,target=/c a && b",
        &["RUN a && b", "RUN --mount=type=cache,target=/d a && b"],
    );
}

#[test]
fn layers_leak_nothing() {
    for first in [
        "cd /a",
        "export A=1",
        "A=1",
        "set -x",
        "umask 22",
        "trap x EXIT",
        "f() { x; }",
        "exec a",
        "exit 0",
        "a &",
        ". ./a",
        "source a",
        "eval a",
        "$a b",
        "{ cd a; }",
        "if a; then cd b; fi",
        "read x",
        "unset x",
        "ulimit -n 5",
        "pushd a",
        "alias a=b",
        "shopt -s x",
        "(( x = 1 ))",
        "for b in 1; do x; done",
        "a || exit 0",
        "nvm use 8",
        "shift",
        "a # b",
    ] {
        stops(
            "layers",
            &format!("RUN {first}\nRUN b $b"),
            &format!("RUN {first} && b $b"),
        );
    }
    passes(
        "layers",
        "RUN for x in 1; do a; done\nRUN b",
        "RUN for x in 1; do a; done && b",
    );
    passes(
        "layers",
        "RUN [[ -f a ]] && b\nRUN c",
        "RUN [[ -f a ]] && b && c",
    );
    stops(
        "layers",
        "RUN --network=none a\nRUN b",
        "RUN --network=none a && b",
    );
    stops("layers", "RUN a\nENV A=1\nRUN b", "RUN a && b\nENV A=1");
    stops("layers", "RUN a\nUSER x\nRUN b", "RUN a && b\nUSER x");
    stops("layers", "RUN [\"a\"]\nRUN b", "RUN a && b");
    stops("layers", "RUN <<E\na\nE\nRUN b", "RUN a && b");
    stops(
        "layers",
        "RUN a\nRUN b || exit $?",
        "RUN a && { b || exit $?; }",
    );
    stops("layers", "RUN a\nRUN b || c", "RUN a && b || c");
    stops("none", "RUN a\nRUN b", "RUN a && b");
}

const INSTALL: &str = "RUN apt-get update && apt-get install -y curl";

#[test]
fn caches_are_deleted_and_nothing_else() {
    let lists = "rm -rf /var/lib/apt/lists/*";
    let with = |text: &str| format!("{INSTALL}{text}");
    passes("caches", INSTALL, &with(" && rm -rf /var/lib/apt/lists/*"));
    passes(
        "caches",
        INSTALL,
        &with(" && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives"),
    );
    passes(
        "caches",
        "RUN sudo yum install -y x",
        "RUN sudo yum install -y x && sudo yum clean all && sudo rm -rf /var/cache/yum",
    );
    passes(
        "caches",
        "FROM node:20\nRUN npm ci",
        "FROM node:20\nRUN npm ci && npm cache clean --force",
    );
    passes(
        "caches",
        "RUN apt-get update && apt-get install x && make; y",
        &format!("RUN apt-get update && apt-get install x && {lists} && make; y"),
    );
    passes(
        "caches",
        "RUN (apt-get update; apt-get install x)",
        &format!("RUN (apt-get update; apt-get install x && {lists})"),
    );
    for bad in [
        " ; rm -rf /var/lib/apt/lists/*",
        " || rm -rf /var/lib/apt/lists/*",
        " & rm -rf /var/lib/apt/lists/*",
        " && rm -rf /var/lib/apt",
        " && rm -rf /var/lib/apt/lists/../dpkg",
        " && rm -rf /usr/share/doc",
        " && rm -rf /tmp/*",
        " && rm -rf $x",
        " && rm -rf /var/lib/apt/lists/* > /x",
        " && apt-get autoremove -y",
        " && A=1 rm -rf /var/lib/apt/lists/*",
        " && rm -rf /root/.cache",
        " && ! rm -rf /var/lib/apt/lists/*",
        " && rm -rf /var/lib/apt/listsx",
        " && rm -i /var/lib/apt/lists/*",
        " && cd /var/lib/apt/lists",
    ] {
        stops("caches", INSTALL, &with(bad));
    }
    stops("none", INSTALL, &with(" && rm -rf /var/lib/apt/lists/*"));
    stops(
        "caches",
        "RUN set -e; apt-get install x && y; z",
        &format!("RUN set -e; apt-get install x && {lists} && y && z"),
    );
    stops(
        "caches",
        "RUN set -e; apt-get install x; z",
        &format!("RUN set -e; apt-get install x && {lists}; z"),
    );
    stops(
        "caches",
        "RUN apt-get install x || y",
        &format!("RUN apt-get install x || {lists} && y"),
    );
    passes(
        "caches",
        "RUN set -e; apt-get install x; z",
        &format!("RUN set -e; apt-get install x; {lists}; z"),
    );
    stops(
        "caches",
        "RUN <<E\napt-get install x\nE",
        &format!("RUN <<E\napt-get install x\n{lists}\nE"),
    );
}

#[test]
fn caches_are_switched_off() {
    only(
        "caches",
        "RUN pip install -r a",
        "RUN pip install --no-cache-dir -r a",
        &[
            "RUN pip install -r --no-cache-dir a",
            "RUN pip install --no-deps -r a",
            "RUN pip install --no-cache-dir -r b",
            "RUN pip install --no-cache-dir a",
        ],
    );
    only(
        "caches",
        "RUN if a; then pip install x; fi",
        "RUN if a; then pip install --no-cache-dir x; fi",
        &[
            "RUN if b; then pip install --no-cache-dir x; fi",
            "RUN if a; then pip --version --no-cache-dir x; fi",
        ],
    );
    only(
        "caches",
        "RUN apk update && apk add a && rm -rf /var/cache/apk/*",
        "RUN apk add --no-cache a",
        &[
            "RUN apk add a",
            "RUN apk add --no-cache b",
            "RUN apk add --no-cache",
            "RUN a",
        ],
    );
    only(
        "caches",
        "RUN apk update; apk add a && b",
        "RUN apk add --no-cache a && b",
        &["RUN apk add --no-cache a; b", "RUN apk add a && b"],
    );
    only(
        "caches",
        "RUN apk update && apk add a && apk add b",
        "RUN apk add --no-cache a && apk add --no-cache b",
        &[
            "RUN apk add --no-cache a && apk add b",
            "RUN apk add a && apk add --no-cache b",
        ],
    );
    only(
        "caches",
        "RUN x | (apk update && apk add a)",
        "RUN x | (apk add --no-cache a)",
        &["RUN x | apk add --no-cache a", "RUN (apk add --no-cache a)"],
    );
    stops(
        "caches",
        "RUN apt-get update && apt-get install x",
        "RUN apt-get install x",
    );
    stops(
        "caches",
        "RUN apk update || true && apk add a",
        "RUN true && apk add --no-cache a",
    );
    stops(
        "caches",
        "RUN apk update && apk upgrade && apk add a",
        "RUN apk upgrade && apk add --no-cache a",
    );
    stops(
        "none",
        "RUN pip install a",
        "RUN pip install --no-cache-dir a",
    );
}

#[test]
fn caches_become_mounts_where_they_are_caches() {
    let mount = |target: &str| {
        format!(
            "FROM debian:12\nUSER root\nENV HOME=/root\nRUN --mount=type=cache,target={target} pip install x"
        )
    };
    let plain = "FROM debian:12\nUSER root\nENV HOME=/root\nRUN pip install x";
    passes("caches", plain, &mount("/root/.cache/pip"));
    for target in [
        "/root/.cache",
        "/root",
        "/usr/local/lib",
        "target",
        "/root/.cache/pip,from=x",
        "/root/.cache/pip,readonly",
        "$X",
    ] {
        stops("caches", plain, &mount(target));
    }
    stops(
        "caches",
        plain,
        &mount("/root/.cache/pip").replace("type=cache", "type=tmpfs"),
    );
    stops("caches", &mount("/root/.cache/pip"), plain);
    passes(
        "caches",
        &plain.replace("install", "install --no-cache-dir"),
        &mount("/root/.cache/pip"),
    );
    stops(
        "caches",
        &plain.replace("install", "install --no-cache-dir"),
        plain,
    );
}
