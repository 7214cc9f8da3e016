//! A RUN that installs and builds, split so that the files come in between.

use crate::guard::{passes, stops};

/// What `copy-manifests-first` declares.
const FIRST: &str = "order sources layers prefetch";

fn before(run: &str) -> String {
    format!("FROM node:20\nWORKDIR /a\nCOPY . .\nRUN {run}\nCMD x")
}

fn after(part: &str, first: &str, second: &str) -> String {
    format!("FROM node:20\nWORKDIR /a\nCOPY {part}\nRUN {first}\nCOPY . .\nRUN {second}\nCMD x")
}

#[test]
fn an_install_and_a_build_become_two_steps() {
    let whole = "npm install && npm run build";
    let good = after("package.json ./", "npm install", "npm run build");
    passes(FIRST, &before(whole), &good);
    stops("order sources", &before(whole), &good);
    stops("layers", &before(whole), &good);
    for (first, second) in [
        ("npm install", "npm run test"),
        ("npm install", "npm run build && npm prune"),
        ("npm install && npm run build", "npm run build"),
        ("npm install && make", "npm run build"),
        ("npm ci", "npm run build"),
        ("npm run build", "npm install"),
        ("npm install", "npm install && npm run build"),
        ("npm install", "true"),
        ("--network=none npm install", "npm run build"),
        ("npm install", "--network=none npm run build"),
        ("npm install; true", "npm run build"),
        ("npm install || true", "npm run build"),
        ("npm install", "cd b && npm run build"),
    ] {
        stops(
            FIRST,
            &before(whole),
            &after("package.json ./", first, second),
        );
    }
    stops(
        FIRST,
        &before(whole),
        &after("README.md ./", "npm install", "npm run build"),
    );
    stops(
        FIRST,
        &before(whole),
        &good.replace("RUN npm run build\n", ""),
    );
    stops(
        FIRST,
        &before(whole),
        &good.replace("RUN npm run build\n", "USER node\nRUN npm run build\n"),
    );
    stops(
        FIRST,
        &before(whole),
        &good.replace(
            "RUN npm run build\n",
            "RUN npm run build\nRUN npm run build\n",
        ),
    );
}

#[test]
fn a_directory_is_gone_to_again() {
    let whole = "cd web && npm install && npm run build";
    let part = "web/package.json ./web/";
    passes(
        FIRST,
        &before(whole),
        &after(part, "cd web && npm install", "cd web && npm run build"),
    );
    for (part, first, second) in [
        (part, "cd web && npm install", "npm run build"),
        (part, "cd web && npm install", "cd src && npm run build"),
        (part, "cd web && npm install", "cd web; npm run build"),
        (part, "npm install", "cd web && npm run build"),
        (
            "package.json ./",
            "cd web && npm install",
            "cd web && npm run build",
        ),
    ] {
        stops(FIRST, &before(whole), &after(part, first, second));
    }
    let relative = "npm install && cd web && npm run build && ls";
    passes(
        FIRST,
        &before(relative),
        &after(
            "package.json ./",
            "npm install",
            "cd web && npm run build && ls",
        ),
    );
}

#[test]
fn a_directory_in_the_middle_is_gone_to_again() {
    let whole = "apk add --no-cache nodejs && cd /a/web && npm install && npm run build";
    let first = "apk add --no-cache nodejs && cd /a/web && npm install";
    let part = "web/package.json ./web/";
    passes(
        FIRST,
        &before(whole),
        &after(part, first, "cd /a/web && npm run build"),
    );
    stops(FIRST, &before(whole), &after(part, first, "npm run build"));
    stops(
        FIRST,
        &before(whole),
        &after(part, first, "cd /a && npm run build"),
    );
    let twice = "cd lib && cd /a/web && npm install && npm run build";
    let first = "cd lib && cd /a/web && npm install";
    passes(
        FIRST,
        &before(twice),
        &after(part, first, "cd /a/web && npm run build"),
    );
    passes(
        FIRST,
        &before(twice),
        &after(part, first, "cd lib && cd /a/web && npm run build"),
    );
    stops(
        FIRST,
        &before(twice),
        &after(part, first, "cd lib && npm run build"),
    );
    // The new pip is found by both shells, and by the one that was.
    let pip = "pip install --upgrade pip && pip install -r requirements.txt && ls";
    passes(
        FIRST,
        &before(pip),
        &after(
            "requirements.txt ./",
            "pip install --upgrade pip && pip install -r requirements.txt",
            "ls",
        ),
    );
    stops(
        FIRST,
        &before(pip),
        &after(
            "requirements.txt ./",
            "pip install --upgrade pip",
            "pip install -r requirements.txt && ls",
        ),
    );
}

#[test]
fn mounts_and_flags_are_those_of_both() {
    let cache = "--mount=type=cache,target=/root/.npm ";
    let whole = format!("{cache}npm install && npm run build");
    let with = |first: &str, second: &str| {
        after(
            "package.json ./",
            &format!("{first}npm install"),
            &format!("{second}npm run build"),
        )
    };
    passes(FIRST, &before(&whole), &with(cache, cache));
    stops(FIRST, &before(&whole), &with(cache, ""));
    stops(FIRST, &before(&whole), &with("", cache));
    stops(FIRST, &before(&whole), &with("", ""));
    for mount in [
        "--mount=type=tmpfs,target=/tmp ",
        "--mount=type=bind,rw,target=/b ",
    ] {
        let whole = format!("{mount}npm install && npm run build");
        stops(FIRST, &before(&whole), &with(mount, mount));
    }
}

#[test]
fn what_the_shell_keeps_is_not_lost() {
    for (first, second) in [
        ("export A=1 && npm install", "npm run build"),
        ("A=1 && npm install", "npm run build"),
        ("set -x && npm install", "npm run build"),
        ("umask 022 && npm install", "npm run build"),
        ("cd web && npm install && cd ..", "npm run build"),
        ("npm install", "test $? = 0 && npm run build"),
        ("npm install", "npm run build || true"),
        ("npm install", "npm run build; ls"),
        (". ./env && npm install", "npm run build"),
    ] {
        let whole = format!("{first} && {second}");
        stops(
            FIRST,
            &before(&whole),
            &after("package.json ./", first, second),
        );
    }
}

#[test]
fn several_are_split_each_by_itself() {
    let before = "FROM node:20 AS a\nWORKDIR /a\nCOPY . .\nRUN npm ci && npm run build\nFROM python:3.11\nCOPY . /p\nWORKDIR /p\nRUN pip install -U pip && pip install -r requirements.txt && python setup.py build && ls";
    let after = "FROM node:20 AS a\nWORKDIR /a\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\nFROM python:3.11\nCOPY requirements.txt /p/\nWORKDIR /p\nRUN pip install -U pip && pip install -r requirements.txt\nCOPY . /p\nRUN python setup.py build && ls";
    passes(FIRST, before, after);
    stops(
        FIRST,
        before,
        &after.replace("RUN npm run build\n", "RUN ls\n"),
    );
    stops(
        FIRST,
        before,
        &after.replace("RUN npm ci\n", "RUN pip install -r requirements.txt\n"),
    );
    stops(FIRST, before, &after.replace(" && ls", ""));
}
