//! The traps that change meaning, as other tools fall into them: the guard stops each, whatever the rule declares that
//! could have made it.

use crate::guard::{passes, stops};

/// All effects that rules on commands and layers declare.
const ALL: &str = "layers caches packages assume-yes temp copy-mode order sources";

/// All effects that rules on the order of steps and on build directories declare.
const MOVING: &str = "order sources layers prefetch caches build-cache";

#[test]
fn traps_1_to_3_words_and_values() {
    let install = "RUN apt-get install -y \\\n  b \\\n  a && x";
    stops(ALL, install, "RUN apt-get install -y \\\n  a \\\n  b && x");
    stops(ALL, install, "RUN apt-get install -y \\\n  b\nRUN a && x");
    stops(ALL, install, "RUN apt-get install -y b && x");
    stops(
        ALL,
        "RUN apt-get install -y a b --no-install-recommends",
        "RUN apt-get install -y a b",
    );
    stops(
        "none",
        "ENV OPTS \\\n -Xmx1g -server",
        "ENV OPTS=\\\n -Xmx1g -server",
    );
    stops("none", "ENV OPTS \\\n -Xmx1g -server", "ENV OPTS=-Xmx1g");
    stops(
        "none",
        "LABEL MAINTAINER 'A <b>'",
        "LABEL MAINTAINER=\"'A <b>'\"",
    );
}

#[test]
fn traps_4_to_6_texts() {
    stops(
        ALL,
        "RUN rm -rf webapps/ROOT && x",
        "RUN rm -rf ebapps/to && x",
    );
    stops(
        ALL,
        "WORKDIR core\nRUN a",
        "WORKDIR /coreWORKDIR core\nRUN a",
    );
    stops(
        ALL,
        "RUN apt-get install -y a \\\n# c\n b && x",
        "RUN apt-get install -y a # c && x",
    );
    stops(
        ALL,
        "RUN <<EOF\na\nEOF",
        "RUN <<EOF && rm -rf /var/lib/apt/lists/*\na\nEOF",
    );
    stops(
        ALL,
        "RUN <<EOF\na\n  b <<X\n  c\nX\nEOF",
        "RUN <<EOF\na\n  b <<X\nc\nX\nEOF",
    );
    stops(
        ALL,
        "RUN <<EOF\n# TODO\na\nTODO b\nEOF",
        "RUN <<EOF\na\nEOF",
    );
}

#[test]
fn traps_7_to_9_damage() {
    stops(
        ALL,
        "# escape=`\nFROM x\nRUN a `\n  && b",
        "# escape=`\nFROM x\nRUN a \\\n  && b",
    );
    stops(ALL, "RUN <<E\nset -e\na\nE", "RUN <<E\nset -e\r\na\r\nE");
    stops(ALL, "# syntax=a\n# escape=`\nFROM x", "# syntax=a\nFROM x");
    stops(
        ALL,
        "RUN for x in a; do curl $x; done",
        "RUN for x in a; docurl $x; done",
    );
    stops(
        ALL,
        "RUN if ! gpg a; then b; fi",
        "RUN if !gpg a; then b; fi",
    );
    stops(
        ALL,
        "RUN a\nRUN --mount=type=cache,target=/c b",
        "RUN a && --mount=type=cache,target=/c b",
    );
    for between in ["ENV A=1", "ARG A=1", "WORKDIR /a", "USER a", "COPY a /b"] {
        stops(ALL, &format!("RUN a\n{between}\nRUN b"), "RUN a && b");
        stops(
            ALL,
            &format!("RUN a\n{between}\nRUN b"),
            &format!("RUN a && b\n{between}"),
        );
    }
    stops(
        ALL,
        "FROM --platform=$X node:14 AS dev\nRUN a",
        "FROM node:14 AS dev\nRUN a",
    );
    stops(ALL, "RUN adduser --home=/x a", "RUN adduser a");
}

#[test]
fn trap_11_lists_that_are_needed() {
    let clean = "&& rm -rf /var/lib/apt/lists/*";
    let install = "RUN apt-get update && apt-get install -y a";
    for later in [
        "RUN apt-get install -y b",
        "RUN x; apt-get -y install $Y",
        "USER x\nRUN sudo apt-get install -y b",
        "ONBUILD RUN apt-get install -y b",
        "RUN apt-get install -y b && apt-get update",
        "RUN if x; then apt install b; fi",
        "RUN apt-get upgrade -y",
    ] {
        stops(
            "caches",
            &format!("{install}\n{later}"),
            &format!("{install} {clean}\n{later}"),
        );
    }
    stops(
        "caches",
        &format!("{install} && apt-get install -y b"),
        &format!("{install} {clean} && apt-get install -y b"),
    );
    stops(
        "caches",
        "RUN apt-get update; apt-get install -y a; apt-get install -y b",
        "RUN apt-get update; apt-get install -y a && rm -rf /var/lib/apt/lists/*; apt-get install -y b",
    );
    let stages = |clean: &str| {
        format!(
            "FROM debian AS x\n{install} {clean}\nFROM x AS y\nRUN z\nFROM y\nRUN apt-get install -y b"
        )
    };
    stops("caches", &stages(""), &stages(clean));
    for later in [
        "RUN apt-get update && apt-get install -y b",
        "RUN apt-get purge -y b",
        "RUN x\nFROM debian\nRUN apt-get install -y b",
    ] {
        passes(
            "caches",
            &format!("{install}\n{later}"),
            &format!("{install} {clean}\n{later}"),
        );
    }
}

#[test]
fn traps_12_to_15_state() {
    stops(ALL, "RUN a | b", "RUN set -o pipefail && a | b");
    stops(
        ALL,
        "RUN a | b",
        "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN a | b",
    );
    stops(ALL, "RUN a ; b", "RUN <<E\nset -e\na\nb\nE");
    stops(ALL, "RUN set -x; a\nRUN b", "RUN set -x; a && b");
    stops(ALL, "FROM ubuntu:14.04\nRUN a", "FROM ubuntu:22.04\nRUN a");
    stops(ALL, "FROM ruby:3.4-stretch", "FROM ruby:3.4-bookworm");
    stops(
        ALL,
        "ENV PATH=/a:$PATH\nENV PATH=/a:$PATH",
        "ENV PATH=/a:$PATH",
    );
    stops(ALL, "ENV HOME=/a\nRUN x\nENV HOME=/b", "RUN x\nENV HOME=/b");
    let written =
        "apt-get update && apt-get install -y a && echo deb > /etc/apt/sources.list.d/x.list";
    stops(
        ALL,
        &format!("RUN {written} && apt-get update && apt-get install -y b"),
        &format!("RUN {written} && apt-get install -y b"),
    );
    for first in [ALL, MOVING] {
        stops(first, "RUN cd a/b && make", "WORKDIR /a/b\nRUN make");
        stops(
            first,
            "RUN cd a/b && make\nRUN x",
            "WORKDIR a/b\nRUN make\nRUN x",
        );
        stops(first, "RUN cd a && x && y", "RUN cd a && x\nRUN y");
        stops(first, "RUN cd a && x && y", "WORKDIR a\nRUN x\nRUN y");
    }
    stops(ALL, "ENV A=$JAVA_HOME/x", "ENV A=/x");
}

#[test]
fn traps_16_to_18_installs_and_downloads() {
    for build in [
        "npm run build",
        "npx tsc",
        "gulp",
        "yarn build",
        "vite build",
        "node_modules/.bin/webpack",
    ] {
        let text =
            |flag: &str| format!("FROM node:20\nRUN npm install{flag}\nCOPY . .\nRUN {build}");
        stops("packages", &text(""), &text(" --omit=dev"));
        let text = |flag: &str| format!("FROM node:20\nRUN npm install{flag} && {build}");
        stops("packages", &text(""), &text(" --omit=dev"));
    }
    stops(
        ALL,
        "FROM node:20\nRUN npm install && npm run build",
        "FROM node:20\nENV NODE_ENV=production\nRUN npm install && npm run build",
    );
    for source in [
        "https://e.com/a",
        "git@e.com:a/b",
        "https://e.com/a.git",
        "$a.tar.gz",
        "*.tgz",
        "app[1].tar.xz",
    ] {
        stops(
            ALL,
            &format!("ADD {source} /b/"),
            &format!("COPY {source} /b/"),
        );
    }
    stops(ALL, "COPY a /b\nRUN chmod +x /b", "COPY --chmod=+x a /b");
    stops(ALL, "RUN wget a", "RUN wget --progress=dot:giga a");
    stops(ALL, "RUN curl a | b", "RUN curl -f a | b");
    stops(ALL, "RUN curl http://a", "RUN curl https://a");
}

#[test]
fn trap_19_mounts() {
    let apt = |flags: &str, script: &str| format!("FROM debian:12\nRUN {flags}{script}");
    let script = "apt-get update && apt-get install -y a";
    let lists =
        "--mount=type=cache,id=apt-lists-debian-bookworm,sharing=locked,target=/var/lib/apt/lists ";
    let cache =
        "--mount=type=cache,id=apt-cache-debian-bookworm,sharing=locked,target=/var/cache/apt ";
    let undo = "rm -f /etc/apt/apt.conf.d/docker-clean && ";
    passes(
        "caches",
        &apt("", script),
        &apt(&format!("{lists}{cache}"), &format!("{undo}{script}")),
    );
    stops("caches", &apt("", script), &apt(cache, script));
    stops(
        "caches",
        &apt("", script),
        &apt(
            "--mount=type=cache,target=/var/cache/apt ",
            &format!("{undo}{script}"),
        ),
    );
    let both = format!("{lists}{cache}");
    let wrong = [
        ("sharing=locked,", ""),
        ("apt-lists-debian-bookworm", "apt-cache-debian-bookworm"),
        ("apt-lists-debian-bookworm", "apt-lists"),
        ("apt-lists-debian-bookworm", "apt-lists-ubuntu-24.04"),
    ];
    for (from, to) in wrong {
        let script = format!("{undo}{script}");
        let flags = both.replacen(from, to, 1);
        stops("caches", &apt("", &script), &apt(&flags, &script));
    }
    let too_late =
        "apt-get update && rm -f /etc/apt/apt.conf.d/docker-clean && apt-get install -y a";
    stops("caches", &apt("", script), &apt(&both, too_late));
    let install = "apt-get install -y a";
    stops("caches", &apt("", install), &apt(lists, install));
    let cleaned = format!("{script} && rm -rf /var/lib/apt/lists/*");
    stops("caches", &apt("", &cleaned), &apt(lists, &cleaned));
    stops("caches", &apt("", script), &apt(lists, &cleaned));
    passes("caches", &apt("", &cleaned), &apt(lists, script));
    let later = "\nRUN apt-get install -y b";
    stops(
        "caches",
        &apt("", &format!("{script}{later}")),
        &apt(lists, &format!("{script}{later}")),
    );
    let cargo = "FROM rust\nWORKDIR /a\nRUN cargo build --release\nCMD ./target/release/a";
    for target in ["/a/target", "target", "/a", "/a/target/release"] {
        let mount = format!("RUN --mount=type=cache,target={target} ");
        for names in ["caches", MOVING] {
            stops(names, cargo, &cargo.replace("RUN ", &mount));
            let told = format!("{mount}CARGO_TARGET_DIR={target} ");
            stops(names, cargo, &cargo.replace("RUN ", &told));
        }
    }
    let aside = "RUN --mount=type=cache,target=/c/target CARGO_TARGET_DIR=/c/target ";
    stops(MOVING, cargo, &cargo.replace("RUN ", aside));
    let apk = "FROM alpine\nRUN --mount=type=cache,sharing=locked,target=/var/cache/apk apk add";
    stops(
        "caches",
        "FROM alpine\nRUN apk add --no-cache a",
        &format!("{apk} a"),
    );
    passes(
        "caches",
        "FROM alpine\nRUN apk add --no-cache a",
        &format!("{apk} -U a"),
    );
}

#[test]
fn traps_20_to_22_commands() {
    stops(
        ALL,
        "RUN git clone https://e.com/a.git && cd a && make",
        "ADD https://e.com/a.git /",
    );
    stops("config:user", "CMD a", "USER app\nCMD a");
    stops("config:user", "CMD a", "USER non-root\nCMD a");
    stops("config:user", "RUN a", "USER nobody\nRUN a");
    for shell in [
        "a && b", "a $B", "cd b", "exec a", "a *.x", "a | b", "a > b", "A=1 b",
    ] {
        let words: Vec<String> = shell.split(' ').map(|word| format!("\"{word}\"")).collect();
        stops(
            "config:cmd config:entrypoint",
            &format!("CMD {shell}"),
            &format!("CMD [{}]", words.join(", ")),
        );
    }
    stops(
        "config:cmd config:entrypoint",
        "ENTRYPOINT a\nCMD [\"b\"]",
        "ENTRYPOINT [\"a\"]\nCMD [\"b\"]",
    );
    stops(
        "config:cmd config:entrypoint",
        "SHELL [\"pwsh\", \"-c\"]\nCMD a",
        "SHELL [\"pwsh\", \"-c\"]\nCMD [\"a\"]",
    );
}

#[test]
fn traps_23_to_28_packages_and_files() {
    for package in ["curl", "wget", "git", "gcc"] {
        let install =
            |flag: &str, more: &str| format!("RUN apt-get install -y{flag} {package}{more}");
        stops(
            "packages",
            &install("", ""),
            &install(" --no-install-recommends", ""),
        );
        passes(
            "packages",
            &install("", ""),
            &install(" --no-install-recommends", " ca-certificates libc6-dev"),
        );
    }
    let get = "RUN curl -fsSLO https://e.com/x.tgz && tar xf x.tgz";
    stops(
        "temp",
        &format!("{get} && cd x && make"),
        &format!("{get} && cd x && make && rm x.tgz"),
    );
    stops(
        "temp",
        &format!("{get} && rm x.tgz"),
        &format!("{get} && rm x.tgz && rm x.tgz"),
    );
    stops(
        ALL,
        "USER a\nRUN sudo apt-get install -y x",
        "USER a\nRUN apt-get install -y x",
    );
    stops(
        ALL,
        "RUN apt-get install -y sudo x",
        "RUN apt-get install -y x",
    );
    stops(
        ALL,
        "RUN apt-get install -y build-essential",
        "RUN apt-get install -y build-essential=12.9ubuntu3",
    );
    for (first, second) in [
        ("USER 0\nARG A=1", "RUN a $A"),
        ("ENV A=1", "RUN a"),
        ("WORKDIR /a", "RUN b"),
        ("USER a", "RUN b"),
        ("SHELL [\"a\"]", "RUN b"),
        ("ENV NODE_ENV=production", "RUN npm install"),
        ("USER 0\nARG NPM_TOKEN", "RUN npm install"),
        ("ENV PIP_INDEX_URL=http://a", "RUN pip install -U pip"),
        ("WORKDIR /a", "RUN pip install -r requirements.txt"),
        ("USER a", "RUN pip install --user b"),
        ("SHELL [\"bash\", \"-c\"]", "RUN apt-get install -y b"),
        ("WORKDIR /a", "COPY b c"),
        ("ENV A=1", "COPY $A /b"),
        ("USER a", "WORKDIR /b"),
    ] {
        for names in [ALL, MOVING] {
            let (one, other) = (format!("{first}\n{second}"), format!("{second}\n{first}"));
            stops(names, &one, &other);
            stops(names, &other, &one);
            let copied = |body: &str| format!("COPY . /x\n{body}\nCMD a");
            stops(names, &copied(&one), &copied(&other));
        }
    }
    stops(
        ALL,
        "RUN curl -O https://e.com/a",
        "COPY .curlrc /root/.curlrc\nRUN curl -O https://e.com/a",
    );
}

#[test]
fn trap_29_what_the_old_base_set() {
    let before = "FROM golang:1.20\nCOPY . /src\nRUN go install /src\nCMD [\"app\"]";
    let after = "FROM golang:1.20 AS build\nCOPY . /src\nRUN go install /src\nFROM debian:12\nCOPY --from=build /go/bin/app /go/bin/app\nCMD [\"app\"]";
    let stopped = stops("stages base", before, after);
    assert!(stopped.reason.contains("forgets"), "{}", stopped.reason);
    let restated = after.replace(
        "FROM debian:12\n",
        "FROM debian:12\nENV PATH=/go/bin:$PATH\n",
    );
    stops("stages base", before, &restated);
}
