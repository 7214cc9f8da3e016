//! Installs that are put in front of the source with the tools that they need, and of a source at the root of the image.

use crate::guard::{passes, stops};

/// What `copy-manifests-first` declares.
const FIRST: &str = "order sources layers prefetch";

#[track_caller]
fn moves(image: &str, before: &str, after: &str) {
    let on = |body: &str| format!("FROM {image}\n{body}");
    passes(FIRST, &on(before), &on(after));
}

#[track_caller]
fn stays(image: &str, before: &str, after: &str) {
    let on = |body: &str| format!("FROM {image}\n{body}");
    stops(FIRST, &on(before), &on(after));
}

/// What is added of the context is part of it, too, unless it is an archive that is unpacked.
#[test]
fn manifests_are_added() {
    let before = "WORKDIR /app\nADD . /app\nADD Gemfile /app/Gemfile\nRUN bundle install --without development test\nCMD x";
    let after = "WORKDIR /app\nADD Gemfile /app/Gemfile\nRUN bundle install --without development test\nADD . /app\nCMD x";
    moves("ruby:3", before, after);
    let other = |text: &str, from: &str, to: &str| text.replace(from, to);
    for (from, to) in [
        ("ADD Gemfile /app/Gemfile", "ADD Gemfile.tar.gz /app/"),
        (
            "ADD Gemfile /app/Gemfile",
            "ADD https://example.com/Gemfile /app/",
        ),
        ("--without development test", "--without development ./test"),
        ("--without development test", "development test"),
    ] {
        stays("ruby:3", &other(before, from, to), &other(after, from, to));
    }
}

/// Of the whole context at the root of the image only tools of a project may be put in front.
#[test]
fn the_root_is_a_project_of_its_own() {
    let before = "COPY . .\nRUN npm install -g pnpm@9\nRUN npm ci\nCMD x";
    let after = "COPY package.json package-lock.json ./\nRUN npm install -g pnpm@9\nRUN npm ci\nCOPY . .\nCMD x";
    moves("node:20", before, after);
    let other = |text: &str, from: &str, to: &str| text.replace(from, to);
    for place in ["/root", "/home"] {
        let whole = format!("COPY . {place}");
        let part = format!("COPY package.json package-lock.json {place}/");
        let workdir = format!("WORKDIR {place}\n");
        let after = after.replace("COPY . .", &whole);
        let after = after.replace("COPY package.json package-lock.json ./", &part);
        moves(
            "node:20",
            &(workdir.clone() + &before.replace("COPY . .", &whole)),
            &(workdir + &after),
        );
    }
    for (from, to) in [
        ("COPY . .", "COPY . /usr"),
        ("COPY . .", "COPY rootfs /"),
        ("RUN npm install -g pnpm@9", "RUN apt-get install -y git"),
    ] {
        stays("node:20", &other(before, from, to), &other(after, from, to));
    }
}

/// Installers that are known, and variables of files elsewhere, ask nothing of the source.
#[test]
fn tools_are_set_up_first() {
    for (tool, passes) in [
        (
            "curl -fsSL https://deb.nodesource.com/setup_20.x | bash -",
            true,
        ),
        (
            "curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/local/bin",
            true,
        ),
        ("curl -fsSL https://example.com/setup.sh | bash -", false),
        ("cat setup.sh | bash -", false),
        (
            "curl -fsSL https://deb.nodesource.com/setup_20.x | bash ./x",
            false,
        ),
        (
            "curl -fsSL https://deb.nodesource.com/setup_20.x | tee x",
            false,
        ),
        (". /tmp/variables", true),
        (". ./variables", false),
        (". variables", false),
        ("python3 -m venv /app/venv", true),
        ("python3 -m venv", false),
        ("python3 setup.py venv", false),
        ("echo 'prefix=/x' >> ~/.npmrc", true),
        ("echo 'prefix=/x' >> .npmrc", false),
        ("echo $X >> ~/.npmrc", false),
        ("export CI=1", true),
        ("export PATH=$PWD/bin:$PATH", false),
        ("node --version", true),
        ("node version.js", false),
        ("chmod +x package.json", false),
    ] {
        let before = format!("COPY . /app\nWORKDIR /app\nRUN {tool} && npm ci\nCMD x");
        let after = format!(
            "WORKDIR /app\nCOPY package.json package-lock.json /app/\nRUN {tool} && npm ci\nCOPY . /app\nCMD x"
        );
        match passes {
            true => moves("node:20", &before, &after),
            false => stays("node:20", &before, &after),
        }
    }
}

/// What gives modes to files by their names stays behind an install that reads none of these.
#[test]
fn modes_are_given_later() {
    for (modes, passes) in [
        ("chmod +x start.sh", true),
        ("chmod 755 start.sh bin/x && chown node:node start.sh", true),
        ("chmod +x /usr/local/bin/node", false),
        ("chmod +x package.json", false),
        ("chmod +x .", false),
        ("chmod -R 755 bin", false),
        ("chmod 755 -R bin", false),
        ("chmod +x *.sh", false),
        ("chmod +x start.sh && ./start.sh", false),
        ("chmod +x start.sh > log", false),
        ("chmod +x", false),
        ("rm start.sh", false),
    ] {
        let before = format!("WORKDIR /app\nCOPY . .\nRUN {modes}\nRUN npm ci\nCMD x");
        let after = format!(
            "WORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nRUN {modes}\nCMD x"
        );
        match passes {
            true => moves("node:20", &before, &after),
            false => stays("node:20", &before, &after),
        }
    }
}

/// The script that fetches may be made runnable, and nothing else.
#[test]
fn wrappers_are_made_runnable() {
    let before = "WORKDIR /app\nCOPY . .\nRUN chmod +x gradlew\nRUN ./gradlew build\nCMD x";
    let after = "WORKDIR /app\nCOPY build.gradle gradlew ./\nRUN chmod +x gradlew && ./gradlew dependencies\nCOPY . .\nRUN chmod +x gradlew\nRUN ./gradlew build\nCMD x";
    moves("eclipse-temurin:17", before, after);
    for (from, to) in [
        ("chmod +x gradlew &&", "chmod -R 777 gradlew &&"),
        ("chmod +x gradlew &&", "chmod +x start.sh &&"),
        ("chmod +x gradlew &&", "chmod +x gradlew start.sh &&"),
        ("chmod +x gradlew && ./gradlew", "chmod +x gradlew; ./other"),
    ] {
        stays("eclipse-temurin:17", before, &after.replace(from, to));
    }
}

/// What a COPY behind a WORKDIR that moved means is told by that, where its own destination is not known.
#[test]
fn a_copy_further_down_stays_where_it_is() {
    let before = |end: &str| format!("ARG D\nCOPY . /app\nWORKDIR /app\nRUN npm ci\n{end}");
    let after = |end: &str| {
        let first = "COPY package.json package-lock.json /app/\nWORKDIR /app\nRUN npm ci";
        format!("ARG D\n{first}\nCOPY . /app\n{end}")
    };
    for end in ["COPY x $D", "COPY x $D/y", "WORKDIR /b\nCOPY x $D"] {
        moves("node:20", &before(end), &after(end));
    }
    stays("node:20", &before("COPY x $D"), &after("COPY x $D/z"));
    stays(
        "node:20",
        &before("COPY x $D"),
        &after("WORKDIR /b\nCOPY x $D"),
    );
    let swapped = "COPY package.json package-lock.json /app/\nRUN cd /app && npm ci";
    stays(
        "node:20",
        &before("COPY x $D"),
        &format!("ARG D\n{swapped}\nCOPY . /app\nCOPY x $D"),
    );
}
