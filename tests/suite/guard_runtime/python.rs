//! Environments of Python, and what poetry, pipenv and uv install, in a stage that is split in two.

use super::{SPLIT, changed};
use crate::guard::{passes, stops};

#[test]
fn an_environment_of_python_is_taken_over() {
    let before = "FROM python:3.12\nCOPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/uv\nWORKDIR /a\nCOPY . .\nRUN uv sync --frozen\nENV PATH=/a/.venv/bin:$PATH\nCMD [\"gunicorn\", \"x:y\"]";
    let builder = "FROM python:3.12 AS build\nCOPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/uv\nWORKDIR /a\nCOPY . .\nRUN uv sync --frozen\n";
    let runtime = "FROM python:3.12-slim\nCOPY --from=build /a/.venv /a/.venv\nWORKDIR /a\nCOPY . .\nENV PATH=/a/.venv/bin:$PATH\nCMD [\"gunicorn\", \"x:y\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    let named = |text: &str| text.replace("\"gunicorn\"", "\"/a/.venv/bin/gunicorn\"");
    passes(
        SPLIT,
        &named(before),
        &named(&format!("{builder}{runtime}")),
    );
    for (from, to) in [
        ("COPY --from=build /a/.venv /a/.venv\n", ""),
        ("/a/.venv /a/.venv", "/usr/local /usr/local"),
        ("/a/.venv /a/.venv", "/a/.venv/lib /a/.venv/lib"),
        ("COPY . .\n", ""),
        ("ENV PATH=/a/.venv/bin:$PATH\n", ""),
        ("3.12-slim", "3.11-slim"),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    // What uv starts needs uv.
    let started = |text: &str| text.replace("\"gunicorn\"", "\"uv\", \"run\", \"gunicorn\"");
    let without = format!("{builder}{}", started(runtime));
    stops(SPLIT, &started(before), &without);
    let copied = "COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/uv\nWORKDIR";
    let with = started(runtime).replacen("WORKDIR", copied, 1);
    passes(SPLIT, &started(before), &format!("{builder}{with}"));
}

#[test]
fn what_a_manager_of_python_installs_is_taken_over() {
    let builder = |install: &str| {
        format!(
            "FROM python:3.12 AS build\nWORKDIR /a\nCOPY . .\nRUN pip install poetry pipenv uv\n{install}"
        )
    };
    let before = |install: &str, program: &str| {
        let builder = builder(install).replace(" AS build", "");
        format!("{builder}CMD {program}")
    };
    let runtime = |carried: &[&str], program: &str| {
        let copies = carried
            .iter()
            .map(|path| format!("COPY --from=build {path} {path}\n"));
        let copies: String = copies.collect();
        format!("FROM python:3.12-slim\n{copies}WORKDIR /a\nCOPY . .\nCMD {program}")
    };
    for (install, program, carried) in [
        (
            "RUN poetry config virtualenvs.create false && poetry install\n",
            "flask run",
            &["/usr/local"][..],
        ),
        (
            "RUN poetry install\n",
            "poetry run flask run",
            &["/usr/local", POETRY],
        ),
        (
            "RUN poetry config virtualenvs.in-project true && poetry install\n",
            ".venv/bin/flask run",
            &["/a/.venv"],
        ),
        (
            "RUN pipenv install --system\n",
            "flask run",
            &["/usr/local"],
        ),
        (
            "RUN uv pip install --system -r r.txt\n",
            "flask run",
            &["/usr/local"],
        ),
        (
            "RUN python -m venv /v && /v/bin/pip install -r r.txt\n",
            "/v/bin/python -m flask",
            &["/v"],
        ),
    ] {
        let (before, builder) = (before(install, program), builder(install));
        let after = |carried: &[&str]| format!("{builder}{}", runtime(carried, program));
        passes(SPLIT, &before, &after(carried));
        for other in ["/usr/local", "/a/.venv", POETRY, "/v"] {
            if !carried.contains(&other) {
                stops(SPLIT, &before, &after(&[other]));
            }
        }
    }
}

/// Where poetry makes environments.
const POETRY: &str = "/root/.cache/pypoetry/virtualenvs";

#[test]
fn a_file_that_a_later_copy_brings_is_not_copied_again() {
    let before = |first: &str, between: &str| {
        format!(
            "FROM python:3.11\nRUN useradd u\nWORKDIR /a\n{first}\nRUN pip install -r r.txt\n{between}COPY . .\nCMD [\"python\", \"x.py\"]"
        )
    };
    let after = |first: &str, between: &str| {
        format!(
            "FROM python:3.11 AS build\nRUN useradd u\nWORKDIR /a\n{first}\nRUN pip install --prefix=/install -r r.txt\n\
                 FROM python:3.11-slim\nCOPY --from=build /install /usr/local\nRUN useradd u\nWORKDIR /a\n{between}COPY . .\nCMD [\"python\", \"x.py\"]"
        )
    };
    for first in ["COPY r.txt .", "COPY ./r.txt Pipfile ./", "COPY r.txt /a/"] {
        passes(SPLIT, &before(first, ""), &after(first, ""));
    }
    for first in [
        "COPY r.txt b/",
        "COPY b/r.txt .",
        "COPY b .",
        "COPY .b .",
        "COPY *.txt .",
        "COPY --chown=u r.txt .",
        "ADD r.txt .",
        "COPY r.txt /b/",
    ] {
        stops(SPLIT, &before(first, ""), &after(first, ""));
    }
    let run = "RUN cp r.txt b\n";
    stops(
        SPLIT,
        &before("COPY r.txt .", run),
        &after("COPY r.txt .", run),
    );
    let other = after("COPY r.txt .", "").replace("COPY . .", "COPY x.py .");
    stops(SPLIT, &before("COPY r.txt .", ""), &other);
}
