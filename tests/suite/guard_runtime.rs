//! A stage that is split in two: the builder does what it did, and the stage that ships starts the same program in the
//! same state.

mod c;
mod called;
mod flavours;
mod python;

use crate::guard::{passes, stops};

/// What `split-stages` declares.
const SPLIT: &str = "stages base packages config:env";

const BEFORE: &str = "FROM golang:1.22\nLABEL a=b\nARG V=1\nENV X=$V GOOS=linux\nWORKDIR /a\nCOPY . .\n\
                      RUN go build -o /a/b && chmod +x b\nUSER 1000\nEXPOSE 80\nCMD [\"/a/b\", \"-x\"]\n";

const BUILDER: &str = "FROM golang:1.22 AS build\nARG V=1\nENV X=$V GOOS=linux\nWORKDIR /a\nCOPY . .\n\
                       RUN CGO_ENABLED=0 go build -o /a/b && chmod +x b\n";

const RUNTIME: &str = "FROM gcr.io/distroless/static-debian12\nARG V=1\nENV X=$V GOOS=linux\nWORKDIR /a\n\
                       COPY --from=build /a/b /a/b\nCOPY --from=build /a/web /a/web\nLABEL a=b\nUSER 1000\n\
                       EXPOSE 80\nCMD [\"/a/b\", \"-x\"]\n";

/// `text` with the first `from` in the place of which `to` stands.
fn changed(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from}");
    changed
}

#[test]
fn a_stage_is_split() {
    passes(SPLIT, BEFORE, &format!("{BUILDER}{RUNTIME}"));
    // The base may stay, and what configures the image may stay in the builder.
    let same = RUNTIME.replace("gcr.io/distroless/static-debian12", "debian:12-slim");
    passes(SPLIT, BEFORE, &format!("{BUILDER}{same}"));
    let builder = BUILDER.replace("ARG V=1", "LABEL a=b\nARG V=1");
    passes(SPLIT, BEFORE, &format!("{builder}{RUNTIME}"));
}

#[test]
fn nothing_else_becomes_of_the_builder() {
    for (from, to) in [
        ("golang:1.22", "golang:1.23"),
        ("WORKDIR /a\n", ""),
        ("WORKDIR /a", "WORKDIR /b"),
        ("ENV X=$V GOOS=linux\n", ""),
        ("COPY . .\n", ""),
        ("COPY . .", "COPY a ."),
        (" && chmod +x b", ""),
        ("-o /a/b", "-o /a/c"),
        ("CGO_ENABLED=0 go", "CGO_ENABLED=1 go"),
        ("RUN CGO", "RUN --network=none CGO"),
        ("&& chmod", "&& CGO_ENABLED=0 chmod"),
        ("RUN CGO", "RUN ls\nRUN CGO"),
        ("FROM golang:1.22 AS build", "FROM golang:1.22 AS other"),
        ("FROM golang", "FROM --platform=linux/arm64 golang"),
    ] {
        let builder = changed(BUILDER, from, to);
        stops(SPLIT, BEFORE, &format!("{builder}{RUNTIME}"));
    }
}

#[test]
fn nothing_is_lost_for_the_stage_that_ships() {
    for (from, to) in [
        ("ENV X=$V GOOS=linux\n", ""),
        ("ENV X=$V", "ENV X=2"),
        ("ARG V=1\n", ""),
        ("WORKDIR /a\n", ""),
        ("COPY --from=build /a/b /a/b\n", ""),
        ("/a/b /a/b", "/a/b /a/c"),
        ("/a/web /a/web", "/a/web /a/site"),
        ("COPY --from=build /a/web", "COPY /a/web"),
        ("COPY --from=build /a/web", "COPY --from=other /a/web"),
        ("COPY --from=build /a/web /a/web", "RUN ls"),
        (
            "COPY --from=build /a/web",
            "COPY --from=build --chown=1 /a/web",
        ),
        ("LABEL a=b\n", ""),
        ("LABEL a=b", "LABEL a=c"),
        ("USER 1000\n", ""),
        ("EXPOSE 80\n", ""),
        ("\"-x\"", "\"-y\""),
        ("CMD [\"/a/b\", \"-x\"]\n", ""),
        ("CMD", "ENTRYPOINT [\"/a/b\"]\nCMD"),
        ("FROM gcr.io/distroless/static-debian12", "FROM debian:12"),
        ("static-debian12", "static-debian12 AS build"),
        ("USER 1000", "STOPSIGNAL 9\nUSER 1000"),
        ("USER 1000", "VOLUME /a\nUSER 1000"),
        ("USER 1000", "ENV PATH=/opt/bin:$PATH\nUSER 1000"),
    ] {
        let runtime = changed(RUNTIME, from, to);
        stops(SPLIT, BEFORE, &format!("{BUILDER}{runtime}"));
    }
    stops("stages", BEFORE, &format!("{BUILDER}{RUNTIME}"));
    stops(SPLIT, BEFORE, &format!("{BUILDER}{BUILDER}{RUNTIME}"));
}

#[test]
fn the_base_has_what_the_stage_needs() {
    let on = |base: &str| RUNTIME.replace("gcr.io/distroless/static-debian12", base);
    for base in [
        "scratch",
        "scratch AS app",
        "alpine:3",
        "debian:stable-slim",
    ] {
        passes(SPLIT, BEFORE, &format!("{BUILDER}{}", on(base)));
    }
    for base in [
        "busybox",
        "gcr.io/distroless/cc-debian12",
        "debian:12",
        "alpine",
    ] {
        stops(SPLIT, BEFORE, &format!("{BUILDER}{}", on(base)));
    }
    // With C, by a shell, as a user whose name only another image knows.
    let builder = BUILDER.replace("CGO_ENABLED=0 ", "");
    let by_name = |text: &str| text.replace("USER 1000", "USER nobody");
    let by_shell = |text: &str| text.replace("[\"/a/b\", \"-x\"]", "/a/b -x");
    let (before, runtime) = (BEFORE, on("scratch"));
    stops(SPLIT, before, &format!("{builder}{runtime}"));
    stops(SPLIT, before, &format!("{builder}{}", on("alpine:3")));
    stops(SPLIT, before, &format!("{builder}{RUNTIME}"));
    passes(SPLIT, before, &format!("{builder}{}", on("debian:12-slim")));
    stops(
        SPLIT,
        &by_name(before),
        &format!("{BUILDER}{}", by_name(&runtime)),
    );
    passes(
        SPLIT,
        &by_name(before),
        &format!("{BUILDER}{}", by_name(RUNTIME)),
    );
    stops(
        SPLIT,
        &by_shell(before),
        &format!("{BUILDER}{}", by_shell(&runtime)),
    );
    stops(
        SPLIT,
        &by_shell(before),
        &format!("{BUILDER}{}", by_shell(RUNTIME)),
    );
    passes(
        SPLIT,
        &by_shell(before),
        &format!("{BUILDER}{}", by_shell(&on("alpine:3"))),
    );
}

#[test]
fn packages_that_were_installed_may_stay() {
    let before = BEFORE.replace(
        "COPY . .",
        "RUN apt-get update && apt-get install -y git curl=8.1\nCOPY . .",
    );
    let builder = BUILDER.replace(
        "COPY . .",
        "RUN apt-get update && apt-get install -y git curl=8.1\nCOPY . .",
    );
    let runtime = |name: &str| {
        let run = format!(
            "RUN apt-get update && apt-get install -y --no-install-recommends {name} && rm -rf /var/lib/apt/lists/*"
        );
        RUNTIME.replace(
            "gcr.io/distroless/static-debian12\n",
            &format!("debian:12-slim\n{run}\n"),
        )
    };
    passes(SPLIT, &before, &format!("{builder}{}", runtime("curl")));
    passes(SPLIT, &before, &format!("{builder}{}", runtime("curl git")));
    for bad in ["wget", "curl wget", "curl && ls", "apt-get", "curl;ls"] {
        stops(SPLIT, &before, &format!("{builder}{}", runtime(bad)));
    }
}

#[test]
fn a_program_that_is_found_by_its_name_is_found_again() {
    let before = "FROM golang:1.22\nCOPY . /go/src/x\nWORKDIR /go/src/x\nRUN go install\nCMD x -a";
    let builder = "FROM golang:1.22 AS build\nCOPY . /go/src/x\nWORKDIR /go/src/x\nRUN CGO_ENABLED=0 go install\n";
    let runtime = "FROM debian:12-slim\nWORKDIR /go/src/x\nENV PATH=/go/bin:$PATH\nCOPY --from=build /go/bin/x /go/bin/x\nCMD x -a";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    for bad in [
        runtime.replace("ENV PATH=/go/bin:$PATH\n", ""),
        runtime.replace("/go/bin:$PATH", "/usr/games:$PATH"),
        runtime.replace("/go/bin/x /go/bin/x", "/go/bin/y /go/bin/y"),
    ] {
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
}

#[test]
fn steps_behind_the_build_stay_where_they_are() {
    let before = "FROM golang:1.22\nWORKDIR /a\nCOPY . .\nRUN go build -o b\nRUN useradd u\nCOPY c.yml .\nUSER u\nCMD [\"./b\"]";
    let builder = "FROM golang:1.22 AS build\nWORKDIR /a\nCOPY . .\nRUN go build -o b\n";
    let runtime = "FROM debian:12-slim\nWORKDIR /a\nCOPY --from=build /a/b /a/b\nRUN useradd u\nCOPY c.yml .\nUSER u\nCMD [\"./b\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    for bad in [
        runtime.replace("RUN useradd u\n", ""),
        runtime.replace("COPY c.yml .\n", ""),
        runtime.replace(
            "RUN useradd u\nCOPY c.yml .\n",
            "COPY c.yml .\nRUN useradd u\n",
        ),
        runtime.replace("RUN useradd u", "RUN useradd v"),
    ] {
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
}

#[test]
fn an_application_of_node_is_taken_over_whole() {
    let before = "FROM node:20\nWORKDIR /a\nCOPY --chown=node . .\nRUN npm ci\nRUN npm run build\nUSER node\nCMD [\"node\", \"dist/x.js\"]";
    let builder =
        "FROM node:20 AS build\nWORKDIR /a\nCOPY --chown=node . .\nRUN npm ci\nRUN npm run build\n";
    let pruned = format!("{builder}RUN npm prune --omit=dev\n");
    let runtime = "FROM node:20-slim\nCOPY --from=build --chown=node /a /a\nWORKDIR /a\nUSER node\nCMD [\"node\", \"dist/x.js\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    passes(SPLIT, before, &format!("{pruned}{runtime}"));
    stops(
        "stages base config:env",
        before,
        &format!("{pruned}{runtime}"),
    );
    for bad in [
        pruned.replace("--omit=dev", ""),
        pruned.replace("--omit=dev", "--omit=dev && ls"),
        pruned.replace("RUN npm prune --omit=dev", "RUN rm -rf node_modules"),
        pruned.replace("RUN npm prune", "RUN npm prune --omit=dev\nRUN npm prune"),
    ] {
        stops(SPLIT, before, &format!("{bad}{runtime}"));
    }
    for bad in [
        runtime.replace("node:20-slim", "node:22-slim"),
        runtime.replace("node:20-slim", "debian:12-slim"),
        runtime.replace("--chown=node", "--chown=other"),
        runtime.replace("/a /a", "/a/dist /a/lib"),
        runtime.replace("/a /a", "/a/lib /a/lib"),
        runtime.replace("USER node\n", ""),
    ] {
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
}

#[test]
fn packages_of_python_are_taken_over_to_where_they_were() {
    let before = "FROM python:3.11\nWORKDIR /a\nCOPY r.txt .\nRUN set -e; pip install -q -r r.txt\nRUN mkdir /d\nCOPY . .\nCMD [\"gunicorn\", \"a:a\"]";
    let builder = "FROM python:3.11 AS build\nWORKDIR /a\nCOPY r.txt .\nRUN set -e; pip install --prefix=/install -q -r r.txt\n";
    let runtime = "FROM python:3.11-slim\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5 libxslt1.1 && rm -rf /var/lib/apt/lists/*\nCOPY --from=build /install /usr/local\nWORKDIR /a\nCOPY r.txt .\nRUN mkdir /d\nCOPY . .\nCMD [\"gunicorn\", \"a:a\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    stops(
        "stages base config:env",
        before,
        &format!("{builder}{runtime}"),
    );
    for (from, to) in [
        (" --prefix=/install", ""),
        ("--prefix=/install", "--prefix=/other"),
        ("--prefix=/install", "--target=/install"),
        (
            "pip install --prefix=/install",
            "pip --prefix=/install install",
        ),
        (
            "set -e; pip install --prefix=/install",
            "set -e --prefix=/install; pip install",
        ),
        (" -r r.txt", " --prefix=/install -r r.txt"),
        ("-r r.txt", "-r other.txt"),
    ] {
        let bad = changed(builder, from, to);
        stops(SPLIT, before, &format!("{bad}{runtime}"));
    }
    for (from, to) in [
        ("3.11-slim", "3.12-slim"),
        ("3.11-slim", "3.11-alpine"),
        ("python:3.11-slim", "debian:12-slim"),
        ("libpq5", "libpq5 curl"),
        ("libpq5", "libpq-dev"),
        ("libpq5", "$LIB"),
        ("libpq5", "libpq5; ls"),
        ("libpq5 libxslt1.1", "-y libpq5"),
        (" && rm -rf /var/lib/apt/lists/*", ""),
        ("lists/*", "lists/* /etc"),
        ("COPY --from=build /install /usr/local\n", ""),
        ("/install /usr/local", "/install /usr"),
        ("/install /usr/local", "/install /install"),
        ("/install /usr/local", "/a /usr/local"),
        ("--from=build /install", "/install"),
        ("COPY r.txt .\n", ""),
        ("COPY . .\n", ""),
        ("RUN mkdir /d\n", ""),
        ("gunicorn", "celery"),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    let twice = before.replace("-r r.txt", "-r r.txt && pip install x");
    let both = builder.replace("-r r.txt", "-r r.txt && pip install --prefix=/install x");
    stops(SPLIT, &twice, &format!("{both}{runtime}"));
}

#[test]
fn what_python_runs_is_copied_again() {
    let before = "FROM python:3.11\nWORKDIR /a\nRUN pip install a\nRUN pip install b\nCOPY x.py .\nCMD python -u x.py";
    let builder = "FROM python:3.11 AS build\nWORKDIR /a\nRUN pip install a\nRUN pip install b\n";
    let runtime = "FROM python:3.11-slim\nCOPY --from=build /usr/local /usr/local\nWORKDIR /a\nCOPY x.py .\nCMD python -u x.py";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    let tagged = |text: &str, tag: &str| text.replace("python:3.11", tag);
    for (old, new) in [
        ("python", "python:slim"),
        ("python:latest", "python:slim"),
        ("python:3.11-bookworm", "python:3.11-slim-bookworm"),
        ("python:bookworm", "python:slim-bookworm"),
        ("python:3.11-slim", "python:3.11-slim"),
    ] {
        let runtime = runtime.replace("python:3.11-slim", new);
        let after = format!("{}{runtime}", tagged(builder, old));
        passes(SPLIT, &tagged(before, old), &after);
    }
    for bad in [
        runtime.replace("COPY x.py .\n", ""),
        runtime.replace("COPY --from=build /usr/local /usr/local\n", ""),
        runtime.replace("/usr/local /usr/local", "/usr/local/lib /usr/local/lib"),
        runtime.replace("3.11-slim", "3.11-slim-bullseye"),
        runtime.replace("python:3.11-slim", "python:slim"),
    ] {
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    for program in ["python y.py", "sh x.py", "./x.py"] {
        let named = |text: &str| {
            text.replace("python -u x.py", program)
                .replace("x.py .", "x.py /b/")
        };
        stops(
            SPLIT,
            &named(before),
            &named(&format!("{builder}{runtime}")),
        );
    }
}

#[test]
fn an_archive_of_java_ships_on_the_image_that_only_runs() {
    let before = "FROM maven:3.9-eclipse-temurin-17-alpine\nWORKDIR /a\nCOPY . .\nENV MAVEN_OPTS=-q\nRUN mvn package\nENV O=1\nCMD [\"java\", \"-jar\", \"target/a.jar\"]";
    let builder = "FROM maven:3.9-eclipse-temurin-17-alpine AS build\nWORKDIR /a\nCOPY . .\nENV MAVEN_OPTS=-q\nRUN mvn package\n";
    let runtime = "FROM eclipse-temurin:17-jre-alpine\nWORKDIR /a\nCOPY --from=build /a/target/a.jar /a/target/a.jar\nENV O=1\nCMD [\"java\", \"-jar\", \"target/a.jar\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    for (from, to) in [
        ("17-jre", "21-jre"),
        ("17-jre", "17-jdk"),
        ("17-jre-alpine", "17-jre"),
        ("eclipse-temurin:17", "amazoncorretto:17"),
        ("eclipse-temurin:17", "example.com/eclipse-temurin:17"),
        ("COPY --from=build /a/target/a.jar /a/target/a.jar\n", ""),
        ("/a/target/a.jar /a/target/a.jar", "/a/b.jar /a/b.jar"),
        (
            "/a/target/a.jar /a/target/a.jar",
            "/a/target/a.jar /a/a.jar",
        ),
        ("\"target/a.jar", "\"target/b.jar"),
        ("\"-jar\", ", "\"-Xmx1g\", \"-jar\", "),
        ("ENV O=1\n", ""),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    let with_image = |text: &str, image: &str| {
        let text = text.replace("maven:3.9-eclipse-temurin-17-alpine", image);
        text.replace("eclipse-temurin:17-jre-alpine", "JRE")
    };
    for (old, new, may) in [
        ("eclipse-temurin:21", "eclipse-temurin:21-jre", true),
        (
            "eclipse-temurin:21-jdk-noble",
            "eclipse-temurin:21-jre-noble",
            true,
        ),
        ("openjdk:8u212-jdk-slim", "openjdk:8u212-jre-slim", true),
        ("openjdk:17-jdk", "openjdk:17-jre", false),
        ("maven:3-jdk-8", "openjdk:8-jre", true),
        ("maven:3-jdk-8", "eclipse-temurin:8-jre", false),
        (
            "maven:3.9-amazoncorretto-17",
            "eclipse-temurin:17-jre",
            false,
        ),
        ("gradle:8-jdk17", "eclipse-temurin:17-jre", true),
        ("gradle:8-jdk17-corretto", "eclipse-temurin:17-jre", false),
        ("gradle:6-jdk11", "eclipse-temurin:11-jre", false),
    ] {
        let old_text = with_image(before, old);
        let after = with_image(&format!("{builder}{runtime}"), old).replace("JRE", new);
        match may {
            true => passes(SPLIT, &old_text, &after),
            false => drop(stops(SPLIT, &old_text, &after)),
        }
    }
}

#[test]
fn a_shell_that_starts_java_is_looked_through() {
    let before = "FROM gradle:8-jdk17\nWORKDIR /a\nCOPY . .\nRUN gradle build\nRUN cp build/libs/*.jar app.jar\nENTRYPOINT [\"sh\", \"-c\", \"exec java $O -jar app.jar\"]";
    let builder = "FROM gradle:8-jdk17 AS build\nWORKDIR /a\nCOPY . .\nRUN gradle build\nRUN cp build/libs/*.jar app.jar\n";
    let runtime = "FROM eclipse-temurin:17-jre\nWORKDIR /a\nCOPY --from=build /a/app.jar /a/app.jar\nENTRYPOINT [\"sh\", \"-c\", \"exec java $O -jar app.jar\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    let unmade = |text: &str| text.replace("RUN cp build/libs/*.jar app.jar\n", "");
    stops(
        SPLIT,
        &unmade(before),
        &unmade(&format!("{builder}{runtime}")),
    );
    let bad = runtime.replace("app.jar /a/app.jar", "x.jar /a/x.jar");
    stops(SPLIT, before, &format!("{builder}{bad}"));
}

#[test]
fn what_dotnet_publishes_ships_on_the_image_that_only_runs() {
    let before = "FROM mcr.microsoft.com/dotnet/sdk:6.0-jammy\nENV DOTNET_NOLOGO=1 A=b\nWORKDIR /a\nCOPY . .\nRUN dotnet publish -o /out\nWORKDIR /out\nENTRYPOINT [\"dotnet\", \"A.dll\"]";
    let builder = "FROM mcr.microsoft.com/dotnet/sdk:6.0-jammy AS build\nENV DOTNET_NOLOGO=1 A=b\nWORKDIR /a\nCOPY . .\nRUN dotnet publish -o /out\n";
    let runtime = "FROM mcr.microsoft.com/dotnet/aspnet:6.0-jammy\nENV DOTNET_NOLOGO=1 A=b\nWORKDIR /a\nENV ASPNETCORE_URLS=\nCOPY --from=build /out /out\nWORKDIR /out\nENTRYPOINT [\"dotnet\", \"A.dll\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    let plain = runtime.replace("aspnet:", "runtime:");
    let plain = plain.replace("ENV ASPNETCORE_URLS=\n", "");
    passes(SPLIT, before, &format!("{builder}{plain}"));
    for (from, to) in [
        ("aspnet:6.0", "aspnet:8.0"),
        ("6.0-jammy", "6.0"),
        ("aspnet:", "runtime-deps:"),
        ("mcr.microsoft.com/", "example.com/"),
        ("COPY --from=build /out /out\n", ""),
        ("/out /out", "/out/A.dll /out/A.dll"),
        ("A.dll\"]", "B.dll\", \"-x\"]"),
        ("ASPNETCORE_URLS=", "ASPNETCORE_URLS=x"),
        ("ASPNETCORE_URLS=", "OTHER="),
        ("ENV DOTNET_NOLOGO=1 A=b\n", ""),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    let builds = |text: &str| text.replace("dotnet publish", "dotnet build");
    stops(
        SPLIT,
        &builds(before),
        &builds(&format!("{builder}{runtime}")),
    );
    let pinned = |text: &str| text.replace("6.0-jammy", "6.0.428");
    stops(
        SPLIT,
        &pinned(before),
        &pinned(&format!("{builder}{runtime}")),
    );
    let set =
        |text: &str| text.replace("ENV DOTNET", "ENV ASPNETCORE_URLS=http://+:80\nENV DOTNET");
    stops(SPLIT, &set(before), &set(&format!("{builder}{runtime}")));
}

#[test]
fn libraries_that_crates_link_are_installed() {
    let before = "FROM rust:1.75\nWORKDIR /a\nCOPY . .\nRUN cargo build --release\nUSER 1000\nCMD [\"target/release/a\"]";
    let builder = "FROM rust:1.75 AS build\nWORKDIR /a\nCOPY . .\nRUN cargo build --release\n";
    let runtime = "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 && rm -rf /var/lib/apt/lists/*\nCOPY --from=build /a/target/release/a /a/target/release/a\nWORKDIR /a\nUSER 1000\nCMD [\"target/release/a\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    stops(
        "stages base config:env",
        before,
        &format!("{builder}{runtime}"),
    );
    for (from, to) in [
        ("libssl3", "openssl"),
        ("libssl3", "libssl-dev"),
        ("libssl3", "libssl3; ls"),
        ("ca-certificates ", "curl "),
        (" && rm -rf /var/lib/apt/lists/*", ""),
        ("RUN apt-get", "RUN --network=none apt-get"),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    let go = |text: &str| text.replace("rust:1.75", "golang:1.22");
    stops(SPLIT, &go(before), &go(&format!("{builder}{runtime}")));
}
