//! What the guard lets through and what it stops where steps get cache mounts.

use crate::guard::{only, passes, stops};

const LISTS: &str =
    "--mount=type=cache,target=/var/lib/apt/lists,id=apt-lists-debian-bookworm,sharing=locked";
const DEBS: &str =
    "--mount=type=cache,target=/var/cache/apt,id=apt-cache-debian-bookworm,sharing=locked";
const UNDO: &str = "rm -f /etc/apt/apt.conf.d/docker-clean";

/// A Dockerfile in which `$M` stands for mounts of Go's caches.
fn go(text: &str) -> (String, String) {
    let mounts =
        "--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build";
    (text.replace("$M ", ""), text.replace("$M", mounts))
}

#[test]
fn what_is_used_from_the_cache_is_mounted_everywhere_or_nowhere() {
    let build =
        "FROM golang:1.23 AS b\nRUN $M go mod download\nRUN go version\nRUN $M go build -o /a\n";
    let rest = "FROM scratch\nCOPY --from=b /a /a\nCMD [\"/a\"]";
    let (before, after) = go(&format!("{build}{rest}"));
    passes("caches", &before, &after);
    for wrong in [
        "FROM golang:1.23 AS b\nRUN $M go mod download\nRUN go build -o /a\nFROM scratch\nCOPY --from=b /a /a",
        "FROM golang:1.23 AS a\nRUN $M go mod download\nFROM a AS b\nRUN go build -o /a\nFROM scratch\nCOPY --from=b /a /a",
        "FROM golang:1.23 AS b\nRUN $M go mod download\nFROM scratch\nCOPY --from=b /go /go",
        "FROM golang:1.23 AS b\nRUN $M go mod download\nFROM golang:1.23\nRUN --mount=from=b,source=/go/pkg/mod,target=/m ls /m",
        "FROM golang:1.23\nRUN $M go mod download\nCMD [\"go\", \"run\", \".\"]",
        "FROM golang:1.23 AS a\nRUN $M go mod download\nFROM a\nENTRYPOINT go run .",
        "FROM golang:1.23\nRUN $M go mod download && go clean -modcache\nCMD [\"/a\"]",
        "FROM golang:1.23\nRUN $M go mod download && rm -rf /go/pkg\nCMD [\"/a\"]",
    ] {
        let (before, after) = go(wrong);
        stops("caches", &before, &after);
    }
    let program = go("FROM golang:1.23\nRUN $M go install ./...\nENTRYPOINT /go/bin/a");
    passes("caches", &program.0, &program.1);
}

#[test]
fn a_step_that_fetches_nothing_has_no_empty_cache() {
    let mount = "--mount=type=cache,target=";
    for (base, folder, first, second) in [
        (
            "rust:1",
            "/usr/local/cargo/registry",
            "cargo fetch",
            "cargo build --offline",
        ),
        (
            "maven:3",
            "/root/.m2/repository",
            "mvn dependency:go-offline",
            "mvn -o package",
        ),
        (
            "mcr.microsoft.com/dotnet/sdk:8.0",
            "/root/.nuget/packages",
            "dotnet restore",
            "dotnet publish --no-restore",
        ),
        (
            "node:20",
            "/root/.local/share/pnpm/store",
            "pnpm fetch",
            "pnpm install --offline",
        ),
    ] {
        let file = |flag: &str, second: &str| {
            format!("FROM {base}\nRUN {flag}{first}\nRUN {flag}{second}\nCMD [\"/a\"]")
        };
        let flag = format!("{mount}{folder} ");
        stops("caches", &file("", second), &file(&flag, second));
        let online = second.rsplit_once(" -").map_or(second, |(start, _)| start);
        let online = online.replace("mvn", "mvn package");
        passes("caches", &file("", &online), &file(&flag, &online));
    }
}

#[test]
fn apt_gets_two_caches_of_its_release() {
    let plain = "RUN apt-get update && apt-get install -y a";
    let script = format!("{UNDO} && apt-get update && apt-get install -y a");
    let good = format!("RUN {DEBS} {LISTS} {script}");
    only(
        "caches",
        plain,
        &good,
        &[
            &good.replace(",sharing=locked", ""),
            &good.replace(",sharing=locked", ",sharing=private"),
            &good.replace("-debian-bookworm", ""),
            &good.replace("bookworm", "trixie"),
            &good.replace("apt-lists", "apt-cache"),
            &good.replace(&format!("{UNDO} && "), ""),
            &good.replace("type=cache", "type=tmpfs"),
            &good.replace("/var/cache/apt", "/var/cache"),
            &good.replace("/var/lib/apt/lists,", "/var/lib/apt,"),
            &good.replace("apt-get update", "true"),
            &good.replace(UNDO, "rm -f /etc/apt/apt.conf.d/docker-gzip-indexes"),
        ],
    );
    stops("none", plain, &good);
    stops("packages", plain, &good);
    // Without a mount the file is none of our business.
    stops("caches", plain, &format!("RUN {script}"));
    let later = "\nRUN apt-get install -y b";
    stops(
        "caches",
        &format!("{plain}{later}"),
        &format!("{good}{later}"),
    );
    let unknown = ["FROM debian\n", "FROM x/y\n"];
    for from in unknown {
        stops(
            "caches",
            &format!("{from}{plain}"),
            &format!("{from}{good}"),
        );
    }
}

#[test]
fn what_empties_a_mount_goes_and_nothing_else() {
    let install = "apt-get update && apt-get install -y a";
    let mounted = format!("RUN {DEBS} {LISTS} {UNDO} && {install}");
    let plain = format!("RUN {install}");
    for cleanup in [
        "rm -rf /var/lib/apt/lists/*",
        "rm -r /var/lib/apt/lists /var/cache/apt/archives",
        "apt-get clean",
        "apt-get clean && rm -rf /var/lib/apt/lists/*",
        "apt-get -y clean > /dev/null 2>&1",
    ] {
        passes("caches", &format!("{plain} && {cleanup}"), &mounted);
        stops("caches", &format!("{plain} && {cleanup}"), &plain);
        stops(
            "caches",
            &format!("{plain} && {cleanup}"),
            &format!("{mounted} && {cleanup}"),
        );
    }
    only(
        "caches",
        &format!("{plain} && rm -rf /tmp/* /var/lib/apt/lists/* /root/x /var/cache/apt/*.bin"),
        &format!("{mounted} && rm -rf /tmp/* /root/x"),
        &[
            &format!("{mounted} && rm -rf /tmp/*"),
            &format!("{mounted} && rm -rf /root/x"),
            &format!("{mounted} && rm -rf /tmp/* /root/x /var/lib/apt/lists/*"),
            &format!("{mounted} && rm -rf /tmp/* /root/x /root/y"),
            &mounted,
        ],
    );
    for around in [
        "/var/lib/apt",
        "/var/lib/apt/*",
        "/var/cache/*",
        "/var/lib/a*/lists",
        "/",
    ] {
        let removal = format!("rm -rf {around}");
        stops("caches", &format!("{plain} && {removal}"), &mounted);
        stops(
            "caches",
            &format!("{plain} && {removal}"),
            &format!("{mounted} && {removal}"),
        );
    }
    let find = "find /var/lib/apt/lists -type f -delete";
    stops(
        "caches",
        &format!("{plain} && {find}"),
        &format!("{mounted} && {find}"),
    );
    stops(
        "caches",
        &format!("{plain}; rm -rf /var/lib/apt/lists/*"),
        &mounted,
    );
}

#[test]
fn the_home_and_the_variables_say_where_a_cache_is() {
    let file =
        |setting: &str, rest: &str| format!("FROM python:3.12\n{setting}RUN {rest}pip install a");
    let mount = |folder: &str| format!("--mount=type=cache,target={folder} ");
    for (setting, folder) in [
        ("", "/root/.cache/pip"),
        ("ENV PIP_CACHE_DIR=/opt/wheels\n", "/opt/wheels"),
        ("ENV XDG_CACHE_HOME=/c\n", "/c/pip"),
        ("ENV HOME=/h\n", "/h/.cache/pip"),
    ] {
        passes("caches", &file(setting, ""), &file(setting, &mount(folder)));
    }
    for (setting, folder) in [
        ("", "/root/.cache"),
        ("", "/opt/wheels"),
        ("ENV PIP_CACHE_DIR=/tmp\n", "/tmp"),
        ("ENV PIP_CACHE_DIR=/app/x\nWORKDIR /app/x/y\n", "/app/x"),
        ("ENV XDG_CACHE_HOME=/c\n", "/c"),
        ("ENV HOME=/h\n", "/root/.cache/pip"),
        ("USER app\n", "/root/.cache/pip"),
    ] {
        stops("caches", &file(setting, ""), &file(setting, &mount(folder)));
    }
    let before = file("", "") + " && rm -rf ~/.cache /tmp/a";
    let after = file("", &mount("/root/.cache/pip")) + " && rm -rf /tmp/a";
    passes("caches", &before, &after);
    stops("caches", &before, &(file("", "") + " && rm -rf /tmp/a"));
}

#[test]
fn a_user_can_write_to_a_mount() {
    let file = |flag: &str| format!("FROM node:20\nUSER node\nRUN {flag}npm ci");
    let mount = "--mount=type=cache,target=/home/node/.npm";
    only(
        "caches",
        &file(""),
        &file(&format!("{mount},uid=1000 ")),
        &[
            &file(&format!("{mount} ")),
            &file(&format!("{mount},uid=1000,ro ")),
            &file("--mount=type=cache,target=/home/node/app/node_modules,uid=1000 "),
        ],
    );
}

#[test]
fn an_image_runs_from_no_mount() {
    let yarn = |folder: &str| {
        let flag = format!("--mount=type=cache,target={folder} ");
        format!(
            "FROM node:20\nRUN {}yarn",
            if folder.is_empty() { "" } else { &flag }
        )
    };
    only(
        "caches",
        &yarn(""),
        &yarn("/usr/local/share/.cache/yarn"),
        &[
            &yarn("/root/.yarn/berry/cache"),
            &yarn("/root/.yarn"),
            &yarn("/app/.yarn/cache"),
        ],
    );
    let cargo = |folder: &str| {
        format!(
            "FROM rust:1\nWORKDIR /a\nRUN --mount=type=cache,target={folder} cargo build\nCMD [\"./target/a\"]"
        )
    };
    only(
        "caches",
        "FROM rust:1\nWORKDIR /a\nRUN cargo build\nCMD [\"./target/a\"]",
        &cargo("/usr/local/cargo/registry"),
        &[
            &cargo("/a/target"),
            &cargo("target"),
            &cargo("/usr/local/cargo"),
            &cargo("/usr/local/cargo/bin"),
        ],
    );
}

#[test]
fn apk_fetches_an_index_of_its_own() {
    let file = |flag: &str, script: &str| format!("FROM alpine:3.20\nRUN {flag}{script}");
    let mount = "--mount=type=cache,target=/etc/apk/cache,sharing=locked ";
    let before = "apk add --no-cache a && apk add --no-cache b && rm -rf /var/cache/apk/*";
    only(
        "caches",
        &file("", before),
        &file(mount, "apk add -U a && apk add b"),
        &[
            &file(mount, "apk add a && apk add b"),
            &file(mount, "apk add a && apk add -U b"),
            &file("", "apk add -U a && apk add b"),
            &file(
                "--mount=type=cache,target=/etc/apk/cache ",
                "apk add -U a && apk add b",
            ),
            &file(mount, "apk add -U a"),
        ],
    );
    stops(
        "caches",
        &file("", "apk --no-cache update && apk add --no-cache a"),
        &file(mount, "apk --no-cache update && apk add a"),
    );
    let step = "apk add a";
    stops("caches", &file("", step), &file(mount, step));
    passes("caches", &file("", step), &file(mount, "apk add -U a"));
}

#[test]
fn zypper_refreshes_where_it_installs() {
    let mount = "--mount=type=cache,target=/var/cache/zypp,id=zypp-opensuse-15.6,sharing=locked ";
    let file = |flag: &str, refresh: &str| {
        format!("FROM opensuse/leap:15.6\n{refresh}RUN {flag}zypper install -y a")
    };
    passes("caches", &file("", ""), &file(mount, ""));
    let refresh = "RUN zypper --no-gpg-checks refresh\n";
    stops("caches", &file("", refresh), &file(mount, refresh));
}
