//! Steps that change places: manifests and installs in front of a COPY, system packages in front of one, and what
//! changes with each build behind all that is slow.

use crate::guard::{only, passes, stops};

/// What `copy-manifests-first` declares.
const FIRST: &str = "order sources layers prefetch";

/// `FROM image`, `before` and `after` behind it.
fn on(image: &str, body: &str) -> String {
    format!("FROM {image}\n{body}")
}

#[track_caller]
fn moves(image: &str, before: &str, after: &str) {
    passes(FIRST, &on(image, before), &on(image, after));
}

#[track_caller]
fn stays(image: &str, before: &str, after: &str) {
    stops(FIRST, &on(image, before), &on(image, after));
}

#[test]
fn manifests_come_first() {
    let before = "COPY . /app\nWORKDIR /app\nENV A=1\nRUN pip install -r requirements.txt\nCMD x";
    let after = "COPY requirements.txt /app/\nWORKDIR /app\nENV A=1\nRUN pip install -r requirements.txt\nCOPY . /app\nCMD x";
    moves("python:3.11", before, after);
    moves(
        "python:3.11",
        before,
        &after.replace("COPY . /app", "COPY . ."),
    );
    moves(
        "python:3.11",
        before,
        "WORKDIR /app\nENV A=1\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\nCOPY . .\nCMD x",
    );
    for (from, to) in [
        ("requirements.txt /app/", "requirements.txt /srv/"),
        (
            "requirements.txt /app/",
            "requirements.txt /app/requirements/",
        ),
        ("requirements.txt /app/", "requirements-dev.txt /app/"),
        ("COPY requirements.txt /app/\n", ""),
        ("requirements.txt /app/", "sub/requirements.txt /app/"),
        ("requirements.txt /app/", "--chown=1 requirements.txt /app/"),
        ("requirements.txt /app/", "--from=x requirements.txt /app/"),
        ("requirements.txt /app/", "requirements /app/"),
        ("requirements.txt /app/", "r* /app/"),
        ("COPY . /app", "COPY . /app/app"),
        ("COPY . /app", "COPY . ./app"),
        ("COPY . /app", "COPY . app"),
        ("COPY . /app\n", ""),
        ("COPY . /app", "COPY --chown=1 . /app"),
        ("COPY . /app\nCMD x", "CMD x"),
        ("WORKDIR /app\n", ""),
        ("ENV A=1", "ENV A=2"),
        (
            "RUN pip install -r requirements.txt",
            "RUN pip install -r requirements.txt && make",
        ),
        ("RUN pip install", "RUN pip install -q"),
    ] {
        let wrong = after.replacen(from, to, 1);
        assert_ne!(wrong, after, "{from}");
        stays("python:3.11", before, &wrong);
    }
    stops("order", &on("python", before), &on("python", after));
    stops("sources", &on("python", before), &on("python", after));
}

#[test]
fn what_an_install_reads_decides() {
    let swap = |install: &str, manifests: &str| {
        (
            format!("WORKDIR /a\nCOPY . .\nRUN {install}"),
            format!("WORKDIR /a\nCOPY {manifests} ./\nRUN {install}\nCOPY . ."),
        )
    };
    for (install, manifests) in [
        ("pip install -r requirements.txt", "requirements.txt"),
        (
            "pip install -U pip && pip install -r requirements.txt -c c.txt",
            "requirements.txt c.txt",
        ),
        (
            "pip install --no-cache-dir -r ./requirements.txt",
            "requirements*.txt",
        ),
        (
            "python3 -m pip install -r requirements.txt",
            "requirements.txt",
        ),
        (
            "npm --version && npm install",
            "package.json package-lock.json",
        ),
        ("npm ci --omit=dev", "package*.json"),
        (
            "npm i -g pnpm@9 && pnpm install --frozen-lockfile",
            "package.json pnpm-lock.yaml",
        ),
        (
            "corepack enable && yarn install --immutable",
            "package.json yarn.lock .yarnrc.yml",
        ),
        ("yarn", "package.json"),
        (
            "yarn --frozen-lockfile && yarn cache clean",
            "package.json yarn.lock",
        ),
        ("bun install --frozen-lockfile", "package.json bun.lockb"),
        (
            "pip install poetry==$V && poetry config virtualenvs.create false && poetry install --no-root",
            "pyproject.toml poetry.lock",
        ),
        (
            "uv sync --frozen --no-install-project",
            "pyproject.toml uv.lock",
        ),
        ("pipenv install --system --deploy", "Pipfile Pipfile.lock"),
        ("bundle install", "Gemfile Gemfile.lock"),
        (
            "composer install --no-dev --no-scripts --no-autoloader",
            "composer.json composer.lock",
        ),
        ("go mod download", "go.mod go.sum"),
        ("dotnet restore", "App.csproj"),
        ("dotnet restore App.sln", "App.sln App.csproj"),
        (
            "apt-get update && apt-get install -y gcc && pip install -r requirements.txt && rm -rf /var/lib/apt/lists/*",
            "requirements.txt",
        ),
        ("conda env create -f environment.yml", "environment.yml"),
        ("gem install bundler:2.4 && bundle install -j4", "Gemfile"),
        ("mvn -B dependency:go-offline", "pom.xml"),
    ] {
        let (before, after) = swap(install, manifests);
        moves("python:3.11", &before, &after);
        // Without what it reads, or as another command, it stays.
        stays(
            "python:3.11",
            &before,
            &after.replace(manifests, "README.md"),
        );
        stays(
            "python:3.11",
            &before,
            &after.replace(&format!("COPY {manifests} ./\n"), ""),
        );
        stays(
            "python:3.11",
            &before,
            &after.replace("RUN ", "RUN make && "),
        );
    }
    for (install, manifests) in [
        ("pip install .", "pyproject.toml"),
        ("pip install -e .", "pyproject.toml"),
        ("pip install -r requirements.txt .", "requirements.txt"),
        (
            "pip install -r requirements.txt -e ./lib",
            "requirements.txt",
        ),
        ("pip install ./wheels/a.whl", "requirements.txt"),
        ("pip install a.whl", "requirements.txt"),
        (
            "pip install -r requirements.txt --find-links wheels",
            "requirements.txt",
        ),
        ("pip install -r $REQS", "requirements.txt"),
        ("pip install $PACKAGES", "requirements.txt"),
        ("pip install $(cat requirements.txt)", "requirements.txt"),
        (
            "pip install -r requirements.txt && python setup.py install",
            "requirements.txt",
        ),
        (
            "pip install -r requirements.txt || true",
            "requirements.txt",
        ),
        (
            "pip install -r requirements.txt > pip.log",
            "requirements.txt",
        ),
        (
            "pip install -r requirements.txt -c constraints.txt",
            "requirements.txt",
        ),
        ("python setup.py install", "setup.py"),
        ("make deps", "Makefile"),
        ("./install.sh", "install.sh"),
        ("npm ci", "package.json"),
        ("npm install express", "package.json"),
        ("npm install && npm run build", "package.json"),
        ("npm install ./lib", "package.json"),
        ("npm install -g .", "package.json"),
        ("npm --prefix web install", "package.json"),
        ("cd web && npm install", "package.json"),
        ("yarn add left-pad", "package.json"),
        ("yarn build", "package.json"),
        ("yarn --frozen-lockfile", "package.json"),
        ("pnpm install --frozen-lockfile", "package.json"),
        ("poetry install", "pyproject.toml poetry.lock"),
        ("uv sync", "pyproject.toml uv.lock"),
        ("uv sync --frozen --no-install-project", "pyproject.toml"),
        ("uv pip install .", "pyproject.toml"),
        ("composer install", "composer.json"),
        ("composer install --no-scripts", "composer.json"),
        ("go get ./...", "go.mod"),
        ("go build", "go.mod"),
        ("go install ./cmd/a", "go.mod"),
        ("cargo build", "Cargo.toml"),
        ("cargo install --path .", "Cargo.toml"),
        ("dotnet restore src/App.csproj", "App.csproj"),
        ("dotnet publish", "App.csproj"),
        ("mvn package", "pom.xml"),
        ("gradle build", "build.gradle"),
        ("apt-get install -y ./a.deb", "a.json"),
        (
            "dpkg -i a.deb && pip install -r requirements.txt",
            "requirements.txt",
        ),
        (
            "rm -rf lib && pip install -r requirements.txt",
            "requirements.txt",
        ),
        (
            "sh -c 'pip install -r requirements.txt'",
            "requirements.txt",
        ),
        (
            "--mount=type=bind,target=/src pip install -r requirements.txt",
            "requirements.txt",
        ),
    ] {
        let (before, after) = swap(install, manifests);
        stays("python:3.11", &before, &after);
    }
}

#[test]
fn parts_land_where_the_whole_does() {
    let npm = |copies: &str| format!("WORKDIR /a\n{copies}\nRUN npm install\nCOPY . .");
    let before = "WORKDIR /a\nCOPY . .\nRUN npm install";
    for part in [
        "COPY package.json ./",
        "COPY package.json .",
        "COPY package.json package.json",
        "COPY package.json /a/",
        "COPY package.json /a",
        "COPY ./package.json ./",
        "COPY package.json yarn.lock* ./\nCOPY .yarn/ ./.yarn/",
        "COPY package.json ./\nCOPY packages/a/package.json ./packages/a/\nCOPY packages/b/package.json packages/b/",
        "COPY package.json ./\nCOPY prisma ./prisma/",
        "COPY package.json ./\nCOPY prisma prisma",
    ] {
        moves("node:20", before, &npm(part));
    }
    for part in [
        "COPY package.json package.json/",
        "COPY package.json ../",
        "COPY package.json b.json",
        "COPY ../package.json ./",
        "COPY https://e.com/package.json ./",
        "ADD package.json ./",
        "COPY package.json ./\nCOPY packages/a/package.json ./packages/",
        "COPY package.json ./\nCOPY packages/a/package.json packages/b/package.json ./packages/a/",
        "COPY package.json ./\nCOPY packages/*/package.json ./packages/",
        "COPY package.json ./\nCOPY prisma ./",
        "COPY package.json .yarn ./",
        "COPY package.json ./\nCOPY prisma/ ./schema/",
        "COPY package.json ./\nCOPY a.tar.gz ./",
        "COPY package.json /b/\nCOPY package.json ./x/",
        "COPY p* ./",
        "COPY package.json ./\nCOPY package.json ./c/",
    ] {
        stays("node:20", before, &npm(part));
    }
    for (whole, part) in [
        ("COPY backend/ ./", "COPY backend/requirements.txt ./"),
        (
            "COPY backend .",
            "COPY backend/requirements.txt requirements.txt",
        ),
        ("COPY ./backend /a", "COPY backend/requirements.txt /a/"),
        ("COPY src requirements.txt ./", "COPY requirements.txt ./"),
        ("ADD . /a", "COPY requirements.txt /a/"),
        ("ADD . .", "COPY requirements.txt ./"),
        (
            "COPY --chown=app:app . .",
            "COPY --chown=app:app requirements.txt ./",
        ),
        (
            "COPY --chown=app --chmod=755 . .",
            "COPY --chmod=755 --chown=app requirements.txt ./",
        ),
        ("COPY . ./", "COPY requirements.txt ./"),
    ] {
        let before = format!("WORKDIR /a\n{whole}\nRUN pip install -r requirements.txt");
        let after = |part: &str| {
            format!("WORKDIR /a\n{part}\nRUN pip install -r requirements.txt\n{whole}")
        };
        moves("python:3.11", &before, &after(part));
        for wrong in [
            "COPY requirements.txt /b/",
            "COPY --chown=other requirements.txt ./",
            "COPY frontend/requirements.txt ./",
            "COPY backendrequirements.txt ./",
        ] {
            stays("python:3.11", &before, &after(wrong));
        }
    }
    // The part stands there already, behind the whole.
    passes(
        "order",
        "COPY . /a\nWORKDIR /a\nCOPY requirements.txt .\nRUN pip install -r requirements.txt",
        "WORKDIR /a\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . /a",
    );
    stops(
        "order",
        "COPY . /a\nCOPY other.txt /a/requirements.txt\nWORKDIR /a\nRUN pip install -r requirements.txt",
        "COPY other.txt /a/requirements.txt\nWORKDIR /a\nRUN pip install -r requirements.txt\nCOPY . /a",
    );
    let excluded = "WORKDIR /a\nCOPY --exclude=*.txt . .\nRUN pip install -r requirements.txt";
    let part = "WORKDIR /a\nCOPY --exclude=*.txt requirements.txt ./\nRUN pip install -r requirements.txt\nCOPY --exclude=*.txt . .";
    stays("python:3.11", excluded, part);
}

#[test]
fn what_stands_between_decides() {
    let before = |between: &str| format!("WORKDIR /a\nCOPY . .\n{between}\nRUN npm install");
    let after = |between: &str| {
        format!("WORKDIR /a\nCOPY package.json ./\n{between}\nRUN npm install\nCOPY . .")
    };
    for between in [
        "LABEL a=b",
        "ENV NODE_ENV=production",
        "ARG TOKEN",
        "EXPOSE 80",
        "USER node",
        "SHELL [\"/bin/bash\", \"-c\"]",
        "RUN apt-get update && apt-get install -y git",
        "RUN npm install -g npm@10",
        "COPY --from=composer /usr/bin/composer /opt/composer",
        "COPY nginx.conf /etc/nginx/",
        "CMD a",
    ] {
        moves("node:20", &before(between), &after(between));
        // The install passes none of those that it runs under.
        let late =
            format!("WORKDIR /a\nCOPY package.json ./\nRUN npm install\nCOPY . .\n{between}");
        if !["LABEL", "EXPOSE", "CMD"]
            .iter()
            .any(|word| between.starts_with(word))
        {
            stays("node:20", &before(between), &late);
        }
        let gone = after("").replace("\n\n", "\n");
        stays("node:20", &before(between), &gone);
    }
    for between in [
        "RUN make",
        "RUN ./configure",
        "RUN cp .env.example .env",
        "RUN sed -i s/a/b/ package.json",
        "COPY other /a/",
        "ONBUILD RUN x",
        "WORKDIR sub",
        "RUN rm -rf node_modules",
    ] {
        stays("node:20", &before(between), &after(between));
    }
    for (user, copy) in [("USER node\n", ""), ("", "--chown=node ")] {
        let before = format!("{user}COPY {copy}. /a\nWORKDIR /a\nRUN npm install");
        let early = format!(
            "{user}WORKDIR /a\nCOPY {copy}package.json ./\nRUN npm install\nCOPY {copy}. ."
        );
        let late = format!(
            "{user}COPY {copy}package.json /a/\nWORKDIR /a\nRUN npm install\nCOPY {copy}. ."
        );
        stays("node:20", &before, &early);
        moves("node:20", &before, &late);
    }
    let in_variable = "ENV D=/a\nCOPY . $D\nWORKDIR $D\nRUN npm install";
    moves(
        "node:20",
        in_variable,
        "ENV D=/a\nCOPY package.json $D/\nWORKDIR $D\nRUN npm install\nCOPY . $D",
    );
    stays(
        "node:20",
        in_variable,
        "COPY package.json $D/\nENV D=/a\nWORKDIR $D\nRUN npm install\nCOPY . $D",
    );
    for place in ["/usr", "/usr/local/lib", "/etc", "/lib"] {
        let before = format!("COPY . {place}\nWORKDIR {place}\nRUN npm install");
        let after =
            format!("COPY package.json {place}/\nWORKDIR {place}\nRUN npm install\nCOPY . {place}");
        stays("node:20", &before, &after);
    }
    moves(
        "node:20",
        "WORKDIR /usr/src/app\nCOPY . .\nRUN npm install",
        "WORKDIR /usr/src/app\nCOPY package.json .\nRUN npm install\nCOPY . .",
    );
}

#[test]
fn system_packages_come_before_the_files() {
    let files = "COPY . /app\n";
    for install in [
        "RUN apt-get update && apt-get install -y a b && rm -rf /var/lib/apt/lists/*\n",
        "RUN DEBIAN_FRONTEND=noninteractive apt-get install -yq a\n",
        "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update && apt-get install -y a\n",
        "RUN apk add --no-cache a b\n",
        "RUN apk add --virtual .build a && apk del .build\n",
        "RUN dnf install -y a && dnf clean all\n",
        "RUN apt-get update\nRUN apt-get install -y a=1.2 && apt-get clean\n",
        "RUN yum install -y https://e.com/a.rpm\n",
        "RUN zypper -n install a\n",
    ] {
        let (before, after) = (format!("{files}{install}"), format!("{install}{files}"));
        passes("order", &before, &after);
        stops("none", &before, &after);
        stops("order", &before, &after.replace("/app", "/srv"));
        for place in ["/", "/etc", "/usr/share/x", "/var/lib/x"] {
            let files = format!("COPY . {place}\n");
            stops(
                "order",
                &format!("{files}{install}"),
                &format!("{install}{files}"),
            );
        }
        for between in [
            "ENV X=1\n",
            "ARG X\n",
            "USER a\n",
            "SHELL [\"/bin/bash\", \"-c\"]\n",
        ] {
            let before = format!("{files}{between}{install}");
            let apt_reads = !between.starts_with("ENV") && !between.starts_with("ARG");
            if apt_reads {
                stops("order", &before, &format!("{install}{files}{between}"));
            }
        }
        let before = format!("{files}WORKDIR /app\n{install}");
        passes("order", &before, &format!("{install}{files}WORKDIR /app\n"));
        stops("order", &before, &format!("{install}WORKDIR /srv\n{files}"));
    }
    for install in [
        "RUN apt-get install -y ./a.deb\n",
        "RUN apt-get install -y /app/a.deb\n",
        "RUN apt-get install -y a.deb\n",
        "RUN apt-get install -y $PACKAGES\n",
        "RUN apt-get install -y $(cat /app/packages)\n",
        "RUN xargs apt-get install -y < packages.txt\n",
        "RUN sed -i s/deb/mirror/ /etc/apt/sources.list && apt-get install -y a\n",
        "RUN apt-get install -y a && make\n",
        "RUN apt-get install -y a && pip install .\n",
        "RUN apt-get install -y a && rm -rf /app/x\n",
        "RUN apt-get -c apt.conf install -y a\n",
        "RUN --mount=type=bind,target=/x apt-get install -y a\n",
        "RUN apk add --allow-untrusted a.apk\n",
        "RUN apt-key add key.gpg && apt-get update\n",
        "RUN apt-get update || apt-get install -y a\n",
        "RUN apt-get install -y a &\n",
    ] {
        stops(
            "order",
            &format!("{files}{install}"),
            &format!("{install}{files}"),
        );
    }
}

#[test]
fn what_changes_with_each_build_comes_last() {
    let slow = "RUN apt-get update && apt-get install -y a\nCOPY . /app\n";
    for volatile in [
        "LABEL a=b",
        "LABEL a=b c=\"d e\"",
        "ARG BUILD_DATE",
        "ARG GIT_SHA=unknown",
        "ENV RELEASE_DATE=2024",
        "ENV A_REVISION 7",
    ] {
        let before = format!("USER root\n{volatile}\n{slow}CMD x");
        for after in [
            format!("USER root\n{slow}{volatile}\nCMD x"),
            format!("USER root\n{slow}CMD x\n{volatile}"),
        ] {
            passes("order", &before, &after);
            stops("none", &before, &after);
            stops("order", &before, &after.replace(volatile, "LABEL x=y"));
        }
        stops("order", &before, &format!("USER root\n{slow}CMD x"));
    }
    passes(
        "order",
        "USER root\nARG SHA\nARG DATE\nENV SHA_OF=x\nLABEL sha=$SHA date=$DATE\nRUN mkdir /a\nCMD x",
        "USER root\nENV SHA_OF=x\nRUN mkdir /a\nCMD x\nARG SHA\nARG DATE\nLABEL sha=$SHA date=$DATE",
    );
    for (volatile, user) in [
        ("ARG SHA", "RUN echo $SHA"),
        ("ARG SHA", "RUN echo ${SHA:-x}"),
        ("ARG SHA", "RUN echo \"v$SHA\" > /v"),
        ("ARG SHA", "RUN printenv SHA > /v"),
        ("ARG SHA", "RUN env > /v"),
        ("ARG SHA", "RUN set > /v"),
        ("ARG SHA", "RUN export -p > /v"),
        ("ARG SHA", "RUN make"),
        ("ARG SHA", "RUN ./build.sh"),
        ("ARG SHA", "RUN npm run build"),
        ("ARG SHA", "RUN sh -c 'echo x'"),
        ("ARG SHA", "RUN <<EOF\necho $SHA\nEOF"),
        ("ARG SHA", "RUN [\"./build\"]"),
        ("ARG SHA", "COPY $SHA /x"),
        ("ARG SHA", "COPY a /x/${SHA}/"),
        ("ARG SHA", "WORKDIR /x/$SHA"),
        ("ARG SHA", "USER $SHA"),
        ("ARG SHA", "EXPOSE $SHA"),
        ("ARG SHA", "LABEL sha=$SHA"),
        ("ARG SHA", "ENV A=$SHA"),
        ("ARG SHA", "ENV SHA=2"),
        ("ARG SHA", "ARG SHA=2"),
        ("ENV SHA=1", "ARG SHA=2"),
        ("ENV SHA=1", "ENV SHA=2"),
        ("ENV SHA=1", "RUN --mount=type=cache,target=/$SHA mkdir /a"),
        ("ENV SHA=$OTHER", "ARG OTHER"),
        ("ENV NODE_ENV=production", "RUN npm ci"),
        ("ENV PATH=/x:$PATH", "RUN mkdir /a"),
        ("ENV HTTP_PROXY=x", "RUN curl -O e.com/a"),
        (
            "ENV DEBIAN_FRONTEND=noninteractive",
            "RUN apt-get install -y a",
        ),
        ("ENV SHA=1", "ONBUILD RUN a"),
        ("LABEL sha=1", "LABEL sha=2"),
        ("LABEL sha=1", "ONBUILD LABEL a=b"),
    ] {
        let (before, after) = (
            format!("USER root\n{volatile}\n{user}\nCMD x"),
            format!("USER root\n{user}\n{volatile}\nCMD x"),
        );
        stops("order", &before, &after);
    }
    let stages = |first: &str, second: &str| {
        format!("FROM a AS x\n{first}RUN mkdir /a\n{second}FROM x\nCMD y")
    };
    passes(
        "order",
        &stages("LABEL a=b\n", ""),
        &stages("", "LABEL a=b\n"),
    );
    only(
        "order",
        "LABEL a=b\nENV VERSION=1\nRUN mkdir /a",
        "ENV VERSION=1\nRUN mkdir /a\nLABEL a=b",
        &[
            "RUN mkdir /a\nLABEL a=b",
            "ENV VERSION=2\nRUN mkdir /a\nLABEL a=b",
            "ENV VERSION=1\nLABEL a=b",
        ],
    );
}
