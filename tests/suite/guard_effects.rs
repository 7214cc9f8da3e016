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
        &["RUN zypper install -r a", "RUN zypper -q install a"],
    );
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
        "cd a && curl -O http://e/x && sh x",
        "curl -O http://e/x && sh x && cd b",
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
fn modes_move_into_the_copy() {
    only(
        "copy-mode",
        "COPY a /b\nRUN chown -R u:g /b",
        "COPY --chown=u:g a /b",
        &[
            "COPY --chown=u a /b",
            "COPY --chown=u:g a /c",
            "COPY --chown=u:g --link a /b",
            "COPY a /b",
            "COPY --chmod=755 a /b",
        ],
    );
    only(
        "copy-mode",
        "WORKDIR /w\nCOPY a b\nRUN chmod 755 /w/b",
        "WORKDIR /w\nCOPY --chmod=755 a b",
        &[
            "WORKDIR /w\nCOPY --chmod=700 a b",
            "WORKDIR /w\nCOPY --chmod=755 c b",
        ],
    );
    stops(
        "copy-mode",
        "COPY a /b\nRUN chmod +x /b",
        "COPY --chmod=+x a /b",
    );
    stops(
        "copy-mode",
        "COPY a /b\nRUN chown -R u:g /b && c",
        "COPY --chown=u:g a /b",
    );
    stops(
        "copy-mode",
        "COPY a /b\nRUN chown -R u:g /b/c",
        "COPY --chown=u:g a /b",
    );
    stops(
        "none",
        "COPY a /b\nRUN chown -R u:g /b",
        "COPY --chown=u:g a /b",
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
        "COPY x/y /a/x/\nCOPY . /a/",
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
        "MAINTAINER a\nRUN b",
        "LABEL x=a\nRUN b",
        &["LABEL x=a", "ENV x=a\nRUN b", "MAINTAINER a"],
    );
    only(
        "config:cmd",
        "CMD a b",
        "CMD [\"a\", \"b\"]",
        &[
            "CMD [\"a\", \"c\"]",
            "CMD [\"a b\"]",
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
    stops("none", "FROM python:3", "FROM python:3-slim");
    stops("config:labels", "MAINTAINER a", "LABEL x=a");
    stops("config:env", "RUN a", "ENV A=1\nRUN a");
    stops("config:cmd", "EXPOSE 1", "EXPOSE 2");
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
