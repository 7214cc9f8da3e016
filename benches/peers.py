#!/usr/bin/env python3
"""Fixers of Dockerfiles side by side, in one run, on the same files.

    benches/peers.py CORPUS --judge JUDGE [--files 1000] [--seed 1] [--tool NAME=COMMAND]...

CORPUS is a folder of Dockerfiles, one a file, any name. JUDGE is a program that reads paths on standard input and prints
`ok` or `no`, a tab and the path for each: whether BuildKit accepts the file. Its parser in a few lines of Go is one:
`parser.Parse`, then `instructions.Parse`, of github.com/moby/buildkit/frontend/dockerfile. COMMAND fixes the files that
stand behind it in place; `{}` is where they go. Files that the judge refuses are left out beforehand. Each file lies in a
folder of its own, named Dockerfile, without a build context.

Prints a table: files changed, of these no longer accepted, changed again by a second run, with fewer comments, with other
line ends, last newline or byte order mark; the seconds of CPU, and the peak of memory in MiB.
"""

import argparse
import os
import random
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BATCH = 500


def judged(judge, paths):
    """The paths that BuildKit accepts."""
    given = "\n".join(map(str, paths)) + "\n"
    answer = subprocess.run(shlex.split(judge), input=given, capture_output=True, text=True, check=True).stdout
    lines = (line.split("\t") for line in answer.splitlines())
    return {Path(fields[1]) for fields in lines if fields[0] == "ok"}


def run(command, folder, names):
    """Fixes the files in place: seconds of CPU, and the peak of memory in MiB, of the tool and what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = 0
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        words = [word for part in shlex.split(command) for word in (batch if part == "{}" else [part])]
        timed = ["/usr/bin/env", "time", "-f", "%M", "-o", f"{folder}/peak"] + words
        subprocess.run(timed, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        peak = max(peak, int(Path(folder, "peak").read_text().split()[-1]) // 1024)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, peak


def comments(text):
    return len(re.findall(rb"(?m)^[ \t]*#", text))


def frame(text):
    """What a fix has no business with: byte order mark, last newline, and whether lines end in CRLF."""
    return text.startswith(b"\xef\xbb\xbf"), text.endswith(b"\n"), text.count(b"\r\n") > 0


def measure(name, command, texts, judge):
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, text in enumerate(texts):
            path = Path(folder, f"{number:05}", "Dockerfile")
            path.parent.mkdir()
            path.write_bytes(text)
            names.append(f"{number:05}/Dockerfile")
        spent, peak = run(command, folder, names)
        once = [Path(folder, path).read_bytes() for path in names]
        changed = [at for at, text in enumerate(once) if text != texts[at]]
        accepted = judged(judge, [Path(folder, names[at]) for at in changed]) if changed else set()
        refused = [at for at in changed if Path(folder, names[at]) not in accepted]
        run(command, folder, names)
        again = [at for at, path in enumerate(names) if Path(folder, path).read_bytes() != once[at]]
        lost = [at for at in changed if comments(once[at]) < comments(texts[at])]
        framed = [at for at in changed if frame(once[at]) != frame(texts[at])]
    if os.environ.get("SHOW"):
        print(name, "refused", refused[:20], "again", again[:20], "lost", lost[:20], "framed", framed[:20], file=sys.stderr)
    counts = [len(group) for group in (changed, refused, again, lost, framed)]
    return [name, *counts, f"{spent:.1f}", peak]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--judge", required=True)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=COMMAND")
    args = parser.parse_args()
    if not shutil.which("time"):
        sys.exit("needs GNU time")
    paths = sorted(path for path in args.corpus.iterdir() if path.is_file())
    paths = random.Random(args.seed).sample(paths, min(len(paths), args.files))
    accepted = judged(args.judge, paths)
    texts = [path.read_bytes() for path in paths if path in accepted]
    if os.environ.get("SHOW"):
        print([str(path) for path in paths if path in accepted], file=open(os.environ["SHOW"], "w"))
    print(f"{len(texts)} files that BuildKit accepts, {sum(map(len, texts)) / 1e6:.1f} MB\n")
    heads = "tool", "changed", "refused", "changed again", "comments lost", "frame changed", "CPU s", "peak MiB"
    print("| " + " | ".join(heads) + " |")
    print("| " + " | ".join(["---"] * len(heads)) + " |")
    for tool in args.tool:
        name, command = tool.split("=", 1)
        print("| " + " | ".join(map(str, measure(name, command, texts, args.judge))) + " |", flush=True)


if __name__ == "__main__":
    main()
