//! Steps that are added to fetch early what a later one installs: nothing else may come along.

use crate::guard::{passes, stops};

/// What `copy-manifests-first` declares.
const FIRST: &str = "order sources layers prefetch";

fn before(install: &str) -> String {
    format!("FROM golang:1\nWORKDIR /a\nCOPY . .\nRUN {install}\nCMD x")
}

fn after(part: &str, fetch: &str, install: &str) -> String {
    format!(
        "FROM golang:1\nWORKDIR /a\nCOPY {part} ./\nRUN {fetch}\nCOPY . .\nRUN {install}\nCMD x"
    )
}

/// Manifests, the command that fetches, and the one that it fetches for.
const GOOD: [(&str, &str, &str); 22] = [
    ("go.mod go.sum", "go mod download", "go build -o /x ./..."),
    (
        "go.mod go.sum",
        "go mod download",
        "CGO_ENABLED=0 go build -o /x . && ls",
    ),
    ("go.mod", "go mod download", "go install ./cmd/x"),
    ("go.mod", "go mod download", "go mod vendor"),
    (
        "pom.xml",
        "mvn -B dependency:go-offline",
        "mvn -B package -DskipTests",
    ),
    ("pom.xml", "mvn dependency:resolve", "mvn clean install"),
    (
        "build.gradle settings.gradle",
        "gradle --no-daemon dependencies",
        "gradle --no-daemon build -x test",
    ),
    (
        "App.csproj",
        "dotnet restore",
        "dotnet publish -c Release -o out",
    ),
    (
        "App.csproj",
        "dotnet restore App.csproj",
        "dotnet publish App.csproj -c Release",
    ),
    (
        "App.csproj",
        "dotnet restore -r linux-x64",
        "dotnet publish -r linux-x64 -o out",
    ),
    ("App.csproj NuGet.Config", "dotnet restore", "dotnet build"),
    ("\"App.csproj\"", "dotnet restore", "dotnet build"),
    ("App.csproj", "dotnet restore App.csproj", "dotnet build"),
    (
        "pyproject.toml poetry.lock",
        "poetry install --no-root",
        "poetry install",
    ),
    (
        "pyproject.toml poetry.lock",
        "poetry install --without dev --no-root",
        "poetry install --no-interaction --without dev",
    ),
    (
        "pyproject.toml uv.lock",
        "uv sync --frozen --no-dev --no-install-project",
        "uv sync --frozen --no-dev",
    ),
    (
        "pyproject.toml uv.lock",
        "uv sync --locked --no-install-workspace",
        "uv sync --locked",
    ),
    (
        "composer.json composer.lock",
        "composer install --no-dev --no-scripts --no-autoloader",
        "composer install --no-dev -o",
    ),
    (
        "pnpm-lock.yaml",
        "pnpm fetch",
        "pnpm install --frozen-lockfile",
    ),
    (
        "pnpm-lock.yaml",
        "pnpm fetch --prod",
        "pnpm install --prod --offline",
    ),
    (
        "Pipfile Pipfile.lock",
        "pipenv sync --system",
        "pipenv install --system",
    ),
    (
        "Pipfile Pipfile.lock",
        "pipenv install --deploy",
        "pipenv install --deploy && ls",
    ),
];

#[test]
fn what_only_fetches_may_be_added() {
    for (part, fetch, install) in GOOD {
        let (before, good) = (before(install), after(part, fetch, install));
        passes(FIRST, &before, &good);
        stops("order sources layers", &before, &good);
        stops(
            FIRST,
            &before,
            &good.replace(&format!("RUN {fetch}"), &format!("RUN {fetch} && make")),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("RUN {fetch}"), &format!("RUN rm -rf x && {fetch}")),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("RUN {fetch}"), &format!("RUN {fetch} > /log")),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("RUN {fetch}"), &format!("RUN {fetch} || true")),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("RUN {fetch}"), &format!("RUN cd b && {fetch}")),
        );
        stops(
            FIRST,
            &before,
            &good.replace(
                &format!("RUN {fetch}"),
                &format!("RUN --network=host {fetch}"),
            ),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("COPY {part} ./\n"), ""),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("COPY {part}"), "COPY README.md"),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("RUN {fetch}"), &format!("USER other\nRUN {fetch}")),
        );
        stops(
            FIRST,
            &before,
            &good.replace(&format!("RUN {install}\n"), ""),
        );
        // Nobody installs what it fetches.
        let other = |text: &str| text.replace(&format!("RUN {install}"), "RUN ./build");
        stops(FIRST, &other(&before), &other(&good));
        let late = good
            .replace(&format!("RUN {fetch}\n"), "")
            .replace("CMD x", &format!("RUN {fetch}\nCMD x"));
        stops(FIRST, &before, &late);
    }
}

#[test]
fn what_fetches_something_else_may_not() {
    for (part, fetch, install) in [
        ("go.mod", "go mod download", "npm install"),
        ("go.mod", "go mod download", "go build -mod=vendor"),
        (
            "go.mod",
            "go mod download",
            "go install example.com/x@latest",
        ),
        ("go.mod", "go mod download", "go version"),
        ("go.mod", "go mod download", "cd sub && go build"),
        ("go.mod", "go mod download example.com/x@v1", "go build"),
        ("go.mod", "go mod tidy", "go build"),
        ("go.mod", "go mod vendor", "go build"),
        ("go.mod", "go get ./...", "go build"),
        ("go.mod", "go build", "go build -o /x"),
        ("pom.xml", "mvn package", "mvn package -DskipTests"),
        ("pom.xml", "mvn dependency:copy-dependencies", "mvn package"),
        (
            "pom.xml",
            "mvn -P prod dependency:go-offline",
            "mvn package",
        ),
        (
            "pom.xml",
            "mvn dependency:go-offline",
            "mvn -f sub/pom.xml package",
        ),
        ("pom.xml", "mvn dependency:go-offline", "./mvnw package"),
        ("pom.xml", "mvn dependency:go-offline", "gradle build"),
        ("build.gradle", "gradle assemble", "gradle build"),
        ("build.gradle", "gradle dependencies clean", "gradle build"),
        (
            "App.csproj",
            "dotnet restore App.csproj",
            "dotnet publish Other.csproj",
        ),
        (
            "App.csproj",
            "dotnet restore",
            "dotnet publish --no-restore",
        ),
        (
            "App.csproj",
            "dotnet restore -r linux-x64",
            "dotnet publish",
        ),
        ("App.csproj", "dotnet build", "dotnet publish"),
        (
            "pyproject.toml",
            "poetry install --no-root",
            "poetry install --without dev",
        ),
        (
            "pyproject.toml",
            "poetry install --no-root",
            "poetry install --only main",
        ),
        (
            "pyproject.toml",
            "poetry install --no-root --all-extras",
            "poetry install",
        ),
        (
            "pyproject.toml",
            "poetry install",
            "poetry install --no-interaction",
        ),
        (
            "pyproject.toml",
            "poetry install --no-root",
            "pip install .",
        ),
        ("pyproject.toml", "poetry install --no-root", "poetry run x"),
        (
            "pyproject.toml uv.lock",
            "uv sync --frozen --no-install-project",
            "uv sync --frozen --no-dev",
        ),
        (
            "pyproject.toml uv.lock",
            "uv sync --frozen --no-install-project --extra x",
            "uv sync --frozen",
        ),
        (
            "pyproject.toml uv.lock",
            "uv sync --no-install-project",
            "uv sync --frozen",
        ),
        (
            "pyproject.toml",
            "uv sync --frozen --no-install-project",
            "uv sync --frozen",
        ),
        (
            "pyproject.toml uv.lock",
            "uv sync --frozen",
            "uv sync --frozen --quiet",
        ),
        (
            "composer.json",
            "composer install --no-scripts --no-autoloader",
            "composer install --no-dev",
        ),
        (
            "composer.json",
            "composer install --no-scripts",
            "composer install",
        ),
        (
            "composer.json",
            "composer update --no-scripts --no-autoloader",
            "composer install",
        ),
        ("pnpm-lock.yaml", "pnpm fetch", "pnpm install --prod"),
        ("pnpm-lock.yaml", "pnpm fetch", "npm install"),
        (
            "Pipfile Pipfile.lock",
            "pipenv install --deploy --dev",
            "pipenv install --deploy",
        ),
        ("Pipfile", "pipenv install", "pipenv install --system"),
        ("package.json", "npm install", "npm ci"),
        (
            "requirements.txt",
            "pip install -r requirements.txt",
            "pip install .",
        ),
        ("go.mod", "curl -O https://e.com/x", "go build"),
    ] {
        stops(FIRST, &before(install), &after(part, fetch, install));
    }
}

#[test]
fn projects_and_files_of_the_base_are_found() {
    let inside = "FROM golang:1\nWORKDIR /a\nCOPY . .\nWORKDIR \"/a/src\"\nRUN dotnet build \"App.csproj\" -c Release";
    let part = |fetch: &str| {
        inside.replace(
            "COPY . .",
            &format!("COPY src/App.csproj ./src/\nRUN {fetch}\nCOPY . ."),
        )
    };
    passes(FIRST, inside, &part("dotnet restore src/App.csproj"));
    passes(FIRST, inside, &part("cd src && dotnet restore App.csproj"));
    stops(FIRST, inside, &part("dotnet restore App.csproj"));
    stops(FIRST, inside, &part("dotnet restore src/Other.csproj"));
    stops(FIRST, inside, &part("dotnet restore src/sub/App.csproj"));
    let settings = "mvn -s /usr/share/maven/ref/settings.xml package";
    let fetch = "mvn -s /usr/share/maven/ref/settings.xml dependency:go-offline";
    passes(FIRST, &before(settings), &after("pom.xml", fetch, settings));
    stops(
        FIRST,
        &before(settings),
        &after(
            "pom.xml",
            &fetch.replace("/usr/share/maven/ref/", ""),
            settings,
        ),
    );
    let own = |text: &str| text.replace("/usr/share/maven/ref/", "/a/ref/");
    stops(
        FIRST,
        &before(&own(settings)),
        &after("pom.xml", &own(fetch), &own(settings)),
    );
    let assigned = "GO111MODULE=on CGO_ENABLED=0 go build";
    passes(
        FIRST,
        &before(assigned),
        &after("go.mod", "GO111MODULE=on go mod download", assigned),
    );
    stops(
        FIRST,
        &before(assigned),
        &after("go.mod", "GO111MODULE=off go mod download", assigned),
    );
    stops(
        FIRST,
        &before(assigned),
        &after("go.mod", "GOPROXY=x go mod download", assigned),
    );
}

#[test]
fn state_and_place_are_those_of_the_later_step() {
    let build = "go build -o /x";
    let good = after("go.mod go.sum", "go mod download", build);
    let around = |text: &str, between: &str| {
        text.replace("RUN go build", &format!("{between}\nRUN go build"))
    };
    for between in [
        "ENV GOPROXY=direct",
        "ENV GOPATH=/x",
        "USER other",
        "WORKDIR /b",
        "SHELL [\"/bin/bash\", \"-c\"]",
    ] {
        stops(
            FIRST,
            &around(&before(build), between),
            &around(&good, between),
        );
    }
    for between in ["LABEL a=b", "ENV SHA=1", "EXPOSE 1"] {
        passes(
            FIRST,
            &around(&before(build), between),
            &around(&good, between),
        );
    }
    let cache = "--mount=type=cache,target=/go/pkg/mod ";
    let mounted = before(&format!("{cache}{build}"));
    let both = after(
        "go.mod go.sum",
        &format!("{cache}go mod download"),
        &format!("{cache}{build}"),
    );
    passes(FIRST, &mounted, &both);
    stops(
        FIRST,
        &mounted,
        &both.replace(&format!("{cache}go mod"), "go mod"),
    );
    stops(
        FIRST,
        &before(build),
        &good.replace("RUN go mod", &format!("RUN {cache}go mod")),
    );
    // The manifests were copied before already.
    let copied = "FROM golang:1\nWORKDIR /a\nCOPY go.mod go.sum ./\nCOPY . .\nRUN go build";
    passes(
        FIRST,
        copied,
        &copied.replace("COPY . .", "RUN go mod download\nCOPY . ."),
    );
    let stages = |fetch: &str| {
        format!(
            "FROM golang:1\nCOPY go.mod /a/\nWORKDIR /a\n{fetch}COPY . /a\nFROM golang:1\nWORKDIR /a\nCOPY . .\nRUN go build"
        )
    };
    stops(FIRST, &stages(""), &stages("RUN go mod download\n"));
    let inside = "cd src && go build";
    let part = "FROM golang:1\nWORKDIR /a\nCOPY src/go.mod ./src/\nRUN cd src && go mod download\nCOPY . .\nRUN cd src && go build\nCMD x";
    passes(FIRST, &before(inside), part);
    let behind = |text: &str| text.replace("RUN cd src && go build", "RUN cd src; go build");
    passes(FIRST, &behind(&before(inside)), &behind(part));
    stops(
        FIRST,
        &before(inside),
        &part.replace("RUN cd src && go mod", "RUN go mod"),
    );
}
