#!/usr/bin/env python3
"""Writes Dockerfiles as the lines of JSON that `dockeropt fix --stdin-jsonl` reads.

lines.py FOLDER           every Dockerfile below a folder
lines.py FOLDER --context the same with the files beside each, as its build context
lines.py --generate 10000 so many Dockerfiles that differ, always the same ones for a `--seed`
"""

import argparse
import json
import random
import sys
from pathlib import Path

# Of longer files of a context only the name is sent.
TEXT_LIMIT = 64 << 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--context", action="store_true")
    parser.add_argument("--generate", type=int, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if (args.folder is None) == (args.generate is None):
        parser.error("either a folder or --generate")
    asked = generated(args.generate, args.seed) if args.folder is None else found(args.folder, args.context)
    for one in asked:
        print(json.dumps(one, ensure_ascii=False))


def found(folder: Path, with_context: bool):
    """What is asked about each Dockerfile below `folder`."""
    for path in sorted(folder.rglob("*")):
        if is_dockerfile(path.name) and path.is_file() and not path.is_symlink():
            text = text_of(path)
            if text is None:
                print(f"{path}: not UTF-8, left out", file=sys.stderr)
                continue
            one = {"path": str(path), "text": text}
            if with_context:
                one["files"] = context(path.parent)
            yield one


def is_dockerfile(name: str) -> bool:
    name = name.lower()
    return name in ("dockerfile", "containerfile") or name.startswith("dockerfile.") or name.endswith(".dockerfile")


def context(folder: Path) -> dict:
    """All files of `folder`, with their text where that is short."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): text_of(path) if path.stat().st_size <= TEXT_LIMIT else None
        for path in files
    }


def text_of(path: Path):
    """The text as it is, with all its line ends; `None` where it is not UTF-8."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        return None


PACKAGES = ["build-essential", "ca-certificates", "curl", "git", "jq", "libpq-dev", "make", "tini", "unzip", "vim"]
MODULES = ["celery", "django", "fastapi", "flask", "gunicorn", "httpx", "numpy", "pydantic", "redis", "sqlalchemy"]


def generated(count: int, seed: int):
    """What is asked about `count` Dockerfiles, no two of them the same."""
    dice = random.Random(seed)
    seen = set()
    while len(seen) < count:
        text = dice.choice([python, node, go])(dice)
        if text not in seen:
            path = f"team-{len(seen) % 97}/app-{len(seen)}/Dockerfile"
            seen.add(text)
            yield {"path": path, "text": text}


def python(dice) -> str:
    packages = " ".join(dice.sample(PACKAGES, dice.randint(1, 4)))
    modules = " ".join(f"{name}=={dice.randint(1, 9)}.{dice.randint(0, 20)}" for name in dice.sample(MODULES, 2))
    copy = dice.choice(["ADD . /app", "COPY . /app"])
    return (
        f"FROM python:3.{dice.randint(8, 13)}\n"
        f"ENV PORT {dice.randint(1024, 65535)}\n"
        f"RUN apt-get update\nRUN apt-get install -y {packages}\n"
        f"RUN pip install {modules}\n"
        f"{copy}\nWORKDIR /app\nCMD python app.py\n"
    )


def node(dice) -> str:
    return (
        f"from node:{dice.choice([18, 20, 22, 24])} as build\n"
        f"WORKDIR /srv/{dice.choice(PACKAGES)}{dice.randint(0, 999)}\n"
        f"COPY . .\nRUN npm install {dice.choice(['', '--silent', '--no-audit'])}\n"
        f"RUN npm run build\nEXPOSE {dice.randint(1024, 65535)}\nCMD npm start\n"
    )


def go(dice) -> str:
    return (
        f"FROM golang:1.{dice.randint(18, 25)}\n"
        f"MAINTAINER team{dice.randint(0, 9999)}@example.com\n"
        f"WORKDIR /go/src/app\nADD . .\n"
        f"RUN go build -ldflags '-X main.port={dice.randint(1024, 65535)}' -o /usr/local/bin/app .\n"
        f'ENTRYPOINT ["/usr/local/bin/app"]\n'
    )


if __name__ == "__main__":
    main()
