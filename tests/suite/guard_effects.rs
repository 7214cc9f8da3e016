//! What the guard lets through and what it stops, for the effects beside layers and caches.

use crate::guard::{only, passes, stops};

#[test]
fn packages_grow_lean() {
    only(
        "packages",
        "RUN apt-get install -y a",
        "RUN apt-get install -y --no-install-recommends a b",
        &[
            "RUN apt-get install -y a b",
            "RUN apt-get install -y --no-install-recommends",
            "RUN apt-get install -y --no-install-suggests a",
            "RUN apt-get install -y --no-install-recommends b",
            "RUN apt-get install --no-install-recommends a",
        ],
    );
    only(
        "packages",
        "FROM node:20\nRUN npm install",
        "FROM node:20\nRUN npm ci --omit=dev",
        &[
            "FROM node:20\nRUN npm ci x",
            "FROM node:20\nRUN npm update",
            "FROM node:20\nRUN npm ci --omit=optional",
        ],
    );
    only(
        "packages",
        "FROM composer\nRUN composer install",
        "FROM composer\nRUN composer install --no-dev",
        &[
            "FROM composer\nRUN composer install --no-scripts",
            "FROM composer\nRUN composer update --no-dev",
        ],
    );
    only(
        "packages",
        "FROM ruby\nRUN gem install x",
        "FROM ruby\nRUN gem install --no-document x",
        &[
            "FROM ruby\nRUN gem install --no-document x y",
            "FROM ruby\nRUN gem install --user-install x",
        ],
    );
    stops(
        "packages",
        "FROM ruby\nRUN gem install x --document ri",
        "FROM ruby\nRUN gem install --no-document x --document ri",
    );
    stops(
        "packages",
        "FROM ruby\nRUN gem list x",
        "FROM ruby\nRUN gem list --no-document x",
    );
    stops(
        "packages",
        "FROM node:20\nRUN npm install x",
        "FROM node:20\nRUN npm ci x",
    );
    stops(
        "caches",
        "RUN apt-get install -y a",
        "RUN apt-get install -y --no-install-recommends a",
    );
}

#[test]
fn caches_are_switched_off() {
    only(
        "caches",
        "RUN uv sync --frozen && pip download x",
        "RUN uv sync --no-cache --frozen && pip download --no-cache-dir x",
        &[
            "RUN uv sync --no-cache && pip download x",
            "RUN uv sync --frozen && pip download --no-cache-dir=false x",
            "RUN uv sync --frozen --no-dev && pip download x",
            "RUN uv sync --frozen --offline && pip download x",
        ],
    );
    stops(
        "caches",
        "RUN uv sync --offline",
        "RUN uv sync --no-cache --offline",
    );
    stops("caches", "RUN uv run x", "RUN uv run --no-cache x");
}

#[test]
fn prompts_are_answered() {
    only(
        "assume-yes",
        "RUN apt-get install a",
        "RUN apt-get install -y a",
        &[
            "RUN apt-get install -y",
            "RUN apt-get install --force-yes a",
            "RUN apt-get install -t -y a",
            "RUN apt-get install a y",
            "RUN apt-get install -f a",
        ],
    );
    only(
        "assume-yes",
        "RUN zypper install a",
        "RUN zypper -n install a",
        &[
            "RUN zypper install -r a",
            "RUN zypper -q install a",
            "RUN zypper install -n a",
            "RUN zypper install --non-interactive a",
            "RUN zypper -y install a",
        ],
    );
    only(
        "assume-yes",
        "RUN dnf install a && dnf remove b && dnf makecache",
        "RUN dnf install -y a && dnf remove --assumeyes b && dnf makecache",
        &[
            "RUN dnf install -y a && dnf remove -y b && dnf makecache -y",
            "RUN dnf install --nogpgcheck a && dnf remove b && dnf makecache",
            "RUN dnf install -yb a && dnf remove b && dnf makecache",
            "RUN dnf install --setopt=assumeyes=1 a && dnf remove b && dnf makecache",
        ],
    );
    for (before, after) in [
        (
            "apt-get install --assume-no a",
            "apt-get install -y --assume-no a",
        ),
        ("dnf install a --assumeno", "dnf install -y a --assumeno"),
    ] {
        stops(
            "assume-yes",
            &format!("RUN {before}"),
            &format!("RUN {after}"),
        );
    }
    stops(
        "packages",
        "RUN apt-get install a",
        "RUN apt-get install -y a",
    );
    stops("assume-yes", "RUN a b", "RUN a -y b");
    only(
        "assume-yes",
        "RUN our-tool install x",
        "RUN our-tool install --yes x",
        &["RUN our-tool --yes x", "RUN our-tool install --no x"],
    );
}

#[test]
fn downloads_are_deleted_once() {
    let get = "RUN curl -fsSLO https://e.com/x.tgz && tar xf x.tgz";
    only(
        "temp",
        get,
        &format!("{get} && rm x.tgz"),
        &[
            &format!("{get}; rm x.tgz"),
            &format!("{get} && rm y.tgz"),
            &format!("{get} && rm -r x.tgz /opt"),
            "RUN curl -fsSLO https://e.com/x.tgz && rm x.tgz && tar xf x.tgz",
            &format!("{get}\nRUN rm x.tgz"),
        ],
    );
    only(
        "temp",
        "RUN wget -O /tmp/a.zip $U && unzip /tmp/a.zip && make",
        "RUN wget -O /tmp/a.zip $U && unzip /tmp/a.zip && rm -f /tmp/a.zip && make",
        &[
            "RUN wget -O /tmp/a.zip $U && unzip /tmp/a.zip && make && rm /tmp/b.zip",
            "RUN wget -O /tmp/a.zip $U && unzip /tmp/a.zip && rm -f /tmp/a.zip; make",
        ],
    );
    for before in [
        "cd a && curl -O http://e/x && sh x && rm x",
        "curl -o /tmp/x http://e/x && cd a && sh /tmp/x && rm /tmp/x",
        "V=1 && curl -O http://e/x-$V && sh x-$V && rm x-$V",
        "set -e; curl -O http://e/x; sh x; rm x; ls",
        "curl -O http://e/x && sh x; cd a && curl -O http://e/x && sh x && rm x",
    ] {
        let (kept, _) = before.split_once("rm ").unwrap();
        let kept = kept.trim_end_matches([' ', '&', ';']);
        let ls = if before.ends_with("ls") { "; ls" } else { "" };
        passes("temp", &format!("RUN {kept}{ls}"), &format!("RUN {before}"));
    }
    for before in [
        "curl -O http://e/x && cd a && sh x",
        "curl -O http://e/x && sh x && cd b",
        "curl -O http://e/$X && V=1 && sh x",
        "curl -O http://e/x && . ./env && sh x",
        "curl -O http://e/x && sh x && rm x",
        "curl http://e/x && sh x",
        "curl -O http://e/x",
    ] {
        stops(
            "temp",
            &format!("RUN {before}"),
            &format!("RUN {before} && rm x"),
        );
    }
    stops(
        "temp",
        &format!("{get}\nRUN sha256sum x.tgz"),
        &format!("{get} && rm x.tgz\nRUN sha256sum x.tgz"),
    );
}

#[test]
fn steps_move_where_nothing_depends() {
    only(
        "order",
        "LABEL a=1\nRUN b",
        "RUN b\nLABEL a=1",
        &["RUN b", "RUN b\nLABEL a=2", "RUN b\nLABEL a=1\nLABEL a=1"],
    );
    only(
        "order",
        "COPY . /src\nRUN apt-get update && apt-get install -y x",
        "RUN apt-get update && apt-get install -y x\nCOPY . /src",
        &[
            "RUN apt-get install -y x && apt-get update\nCOPY . /src",
            "RUN apt-get update && apt-get install -y x\nCOPY . /srv",
        ],
    );
    only(
        "order",
        "EXPOSE 1\nCOPY a /b\nCMD c",
        "COPY a /b\nCMD c\nEXPOSE 1",
        &["CMD c\nEXPOSE 1", "COPY a /c\nCMD c\nEXPOSE 1"],
    );
    for (first, second) in [
        ("COPY . /", "RUN apt-get install -y x"),
        ("COPY . /etc", "RUN apt-get install -y x"),
        ("COPY . $X", "RUN apt-get install -y x"),
        ("COPY . /s", "RUN apt-get install -y $X"),
        ("COPY . /s", "RUN make"),
        ("RUN a", "RUN b"),
        ("WORKDIR /a", "RUN b"),
        ("USER a", "RUN b"),
        ("ENV A=1", "RUN b"),
        ("ARG A=1", "RUN b"),
        ("SHELL [\"a\"]", "RUN b"),
        ("ENV A=1", "LABEL b=$A"),
        ("WORKDIR /a", "COPY b c"),
        ("COPY a /b", "COPY c /b"),
        ("CMD a", "ENTRYPOINT b"),
        ("ENV A=1", "ENV A=2"),
        ("VOLUME /a", "RUN b"),
        ("WORKDIR a", "WORKDIR b"),
        ("USER a", "WORKDIR b"),
        ("LABEL a=1", "LABEL a=2"),
        ("ARG A=1", "ARG A=2"),
    ] {
        stops(
            "order",
            &format!("{first}\n{second}"),
            &format!("{second}\n{first}"),
        );
    }
    stops("none", "LABEL a=1\nRUN b", "RUN b\nLABEL a=1");
}

#[test]
fn part_of_a_copy_may_come_first() {
    only(
        "sources order",
        "WORKDIR /a\nCOPY . .\nRUN npm install",
        "WORKDIR /a\nCOPY package.json p-lock.json ./\nRUN npm install\nCOPY . .",
        &[
            "WORKDIR /a\nRUN npm install\nCOPY . .",
            "WORKDIR /a\nCOPY package.json /b/\nRUN npm install\nCOPY . .",
            "WORKDIR /a\nCOPY package.json ./\nRUN npm install",
            "WORKDIR /a\nCOPY --chown=1 package.json ./\nRUN npm install\nCOPY . .",
        ],
    );
    only(
        "sources",
        "COPY . /a/",
        "COPY x/y.txt /a/x/\nCOPY . /a/",
        &[
            "COPY x/y /a/\nCOPY . /a/",
            "COPY ../y /a/\nCOPY . /a/",
            "COPY . /a/\nCOPY x/y /a/x/",
        ],
    );
    stops(
        "sources order",
        "WORKDIR /a\nCOPY . .\nRUN make",
        "WORKDIR /a\nCOPY Makefile ./\nRUN make\nCOPY . .",
    );
    stops("order", "COPY . /a/", "COPY x /a/\nCOPY . /a/");
    stops("sources", "COPY b /a/", "COPY c /a/\nCOPY b /a/");
}

#[test]
fn other_bases_and_keys_are_declared() {
    only(
        "base",
        "FROM python:3\nRUN a",
        "FROM python:3-slim\nRUN a",
        &[
            "FROM python:3-slim\nRUN b",
            "FROM python:3-slim AS x\nRUN a",
            "FROM python:3-slim",
            "FROM --platform=linux/arm64 python:3-slim\nRUN a",
        ],
    );
    only(
        "config:author config:labels",
        "MAINTAINER 'a $b'\nRUN b",
        "LABEL maintainer='a $b'\nRUN b",
        &[
            "LABEL maintainer='a $b'",
            "ENV maintainer='a $b'\nRUN b",
            "MAINTAINER 'a $b'",
            "LABEL maintainer=\"a $b\"\nRUN b",
            "LABEL maintainer=a\nRUN b",
            "LABEL maintainer=\"'a \\$b'\"\nRUN b",
            "LABEL maintainer='a $b' x=y\nRUN b",
            "LABEL x='a $b'\nRUN b",
            "RUN b",
        ],
    );
    only(
        "config:cmd",
        "CMD a b",
        "CMD [\"a\", \"b\"]",
        &[
            "CMD [\"a\", \"c\"]",
            "CMD [\"a b\"]",
            "EXPOSE 1",
            "CMD [\"a\", \"b\"]\nENTRYPOINT x",
            "ENTRYPOINT [\"a\", \"b\"]",
        ],
    );
    only(
        "config:user",
        "RUN useradd app\nCMD a",
        "RUN useradd app\nUSER app\nCMD [\"a\"]"
            .replace("[\"a\"]", "a")
            .as_str(),
        &[
            "RUN useradd app\nUSER web\nCMD a",
            "USER app\nRUN useradd app\nCMD a",
            "RUN useradd app\nUSER nobodyelse\nCMD a",
        ],
    );
    for gone in [
        "MAINTAINER a\nRUN b",
        "LABEL maintainer=a\nRUN b",
        "LABEL maintainer=a\nLABEL c=d",
    ] {
        let before = "MAINTAINER a\nLABEL c=d\nRUN b";
        stops("config:author config:labels", before, gone);
    }
    stops("none", "FROM python:3", "FROM python:3-slim");
    stops("config:labels", "MAINTAINER a", "LABEL maintainer=a");
    stops(
        "config:author config:labels",
        "MAINTAINER a\nLABEL maintainer=b",
        "LABEL maintainer=a\nLABEL maintainer=b",
    );
    stops("config:env", "RUN a", "ENV A=1\nRUN a");
    stops("config:cmd", "EXPOSE 1", "EXPOSE 2");
}

#[test]
fn a_shell_goes_where_it_does_nothing() {
    let key = "config:cmd config:entrypoint";
    only(
        key,
        "CMD exec a 'b c'",
        "CMD [\"a\", \"b c\"]",
        &[
            "CMD [\"exec\", \"a\", \"b c\"]",
            "CMD [\"a\", \"b\", \"c\"]",
            "CMD [\"'b c'\"]",
        ],
    );
    for line in [
        "a && b",
        "a $B",
        "a > b",
        "cd a",
        "[ a ]",
        "A=1 a",
        "exec -a b a",
        "a *",
    ] {
        let words = line.split(' ').map(|word| format!("{word:?}"));
        let words = words.collect::<Vec<_>>().join(", ");
        stops(key, &format!("CMD {line}"), &format!("CMD [{words}]"));
    }
    for (head, tail) in [
        ("ENTRYPOINT [\"e\"]\n", ""),
        ("ENTRYPOINT [\"tini\", \"--\", \"e\"]\n", ""),
        ("", "\nENTRYPOINT e"),
        ("SHELL [\"pwsh\", \"-c\"]\n", ""),
    ] {
        let body = |cmd: &str| format!("{head}CMD {cmd}{tail}");
        stops(key, &body("a b"), &body("[\"a\", \"b\"]"));
    }
    let init = "ENTRYPOINT [\"/usr/bin/tini\", \"--\"]\nCMD";
    passes(key, &format!("{init} a"), &format!("{init} [\"a\"]"));
    passes(key, "ENTRYPOINT a", "ENTRYPOINT [\"a\"]");
    let base = "FROM a AS a\nENTRYPOINT x\nFROM a\nCMD b";
    stops(
        key,
        base,
        &base.replace("ENTRYPOINT x", "ENTRYPOINT [\"x\"]"),
    );
    stops(key, "ENTRYPOINT a\nCMD b", "ENTRYPOINT [\"a\"]\nCMD b");
}

#[test]
fn spelling_is_free() {
    passes("none", "RUN a \\\n\n  b", "RUN a \\\n  b");
    only(
        "none",
        "run apt update && /usr/bin/apt source a",
        "RUN apt-get update && /usr/bin/apt-get source a",
        &[
            "RUN apt-get upgrade && /usr/bin/apt-get source a",
            "RUN apt-get update && apt-get source a",
        ],
    );
    stops("none", "RUN apt upgrade", "RUN apt-get upgrade");
    stops("none", "RUN a \\\n\nUSER b", "RUN a\nUSER b");
    only(
        "none",
        "FROM --platform=$TARGETPLATFORM a as B\nFROM c\nCOPY --from=B /b /b\nRUN --mount=from=B,target=/b x",
        "FROM a AS b\nFROM c\nCOPY --from=b /b /b\nRUN --mount=from=b,target=/b x",
        &[
            "FROM a AS c\nFROM c\nCOPY --from=b /b /b\nRUN --mount=from=b,target=/b x",
            "FROM a AS b\nFROM c\nCOPY --from=b /B /b\nRUN --mount=from=b,target=/b x",
            "FROM a AS b\nFROM c\nCOPY --from=c /b /b\nRUN --mount=from=b,target=/b x",
            "FROM a AS b\nFROM c\nCOPY --from=b /b /b\nRUN --mount=from=b,target=/B x",
        ],
    );
    let given = "ARG TARGETPLATFORM=linux/amd64\nFROM --platform=$TARGETPLATFORM a";
    stops(
        "none",
        given,
        &given.replace("--platform=$TARGETPLATFORM ", ""),
    );
    stops("none", "FROM --platform=$BUILDPLATFORM a", "FROM a");
    stops(
        "none",
        "FROM a AS b\nONBUILD COPY --from=B / /",
        "FROM a AS b\nONBUILD COPY --from=b / /",
    );
}

#[test]
fn stages_are_inserted_with_all_commands() {
    let before = "FROM golang:1\nWORKDIR /a\nENV X=1\nCOPY . .\nRUN go build -o /a/b\nEXPOSE 80\nCMD [\"/a/b\"]";
    let after = "FROM golang:1 AS build\nWORKDIR /a\nENV X=1\nCOPY . .\nRUN go build -o /a/b\nFROM golang:1\nWORKDIR /a\nENV X=1\nCOPY --from=build /a/b /a/b\nEXPOSE 80\nCMD [\"/a/b\"]";
    passes("stages", before, after);
    let tail = |from: &str, to: &str| {
        let (head, tail) = after.split_at(after.rfind("FROM").unwrap());
        format!("{head}{}", tail.replace(from, to))
    };
    let bad = [
        after.replace("RUN go build -o /a/b\n", ""),
        after.replace("go build -o", "go build -v -o"),
        tail("EXPOSE 80\n", ""),
        tail("WORKDIR /a\n", ""),
        tail("ENV X=1\n", ""),
        tail("CMD [\"/a/b\"]", "CMD [\"/b\"]"),
        tail("FROM golang:1", "FROM debian:12"),
        tail("FROM golang:1", "FROM golang:1 AS y"),
    ];
    for bad in bad {
        stops("stages", before, &bad);
    }
    stops("none", before, after);
}

#[test]
fn caches_are_emptied_behind_their_last_use() {
    only(
        "caches",
        "FROM node:20\nRUN sudo -u node npm ci && npm run build",
        "FROM node:20\nRUN sudo -u node npm ci && sudo -u node npm cache clean --force && npm run build",
        &[
            "FROM node:20\nRUN sudo -u node npm ci && sudo X=/y npm cache clean --force && npm run build",
            "FROM node:20\nRUN sudo -u node npm ci && npm cache verify && npm run build",
        ],
    );
    passes(
        "caches",
        "RUN apk update && apk add composer && composer install && rm -rf /var/cache/apk/*",
        "RUN apk update && apk add composer && composer install && composer clear-cache && rm -rf /var/cache/apk/*",
    );
    stops(
        "caches",
        "FROM node:20\nRUN --mount=type=cache,target=/root/.npm npm ci",
        "FROM node:20\nRUN --mount=type=cache,target=/root/.npm npm ci && npm cache clean --force",
    );
    stops(
        "caches",
        "FROM node:20\nRUN npm ci\nRUN npm ci --offline",
        "FROM node:20\nRUN npm ci && npm cache clean --force\nRUN npm ci --offline",
    );
    stops(
        "caches",
        "FROM fedora\nRUN dnf install -y a\nRUN dnf install -y -C b",
        "FROM fedora\nRUN dnf install -y a && dnf clean all\nRUN dnf install -y -C b",
    );
    stops(
        "caches",
        "FROM node:20 AS a\nRUN npm ci\nFROM a AS b\nFROM node:20\nCOPY --from=b /root/.npm /root/.npm",
        "FROM node:20 AS a\nRUN npm ci && npm cache clean --force\nFROM a AS b\nFROM node:20\nCOPY --from=b /root/.npm /root/.npm",
    );
    stops(
        "caches",
        "FROM golang:1.23\nRUN go build . && go test ./...",
        "FROM golang:1.23\nRUN go build . && go clean -cache && go test ./...",
    );
}
