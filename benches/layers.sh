#!/usr/bin/env bash
# How long `dockeropt layers` takes on an archive of `docker save`, against listing the same layers with tar, and how much
# memory it needs on an image of 5 GB that is made while it is read.
#
#   benches/layers.sh IMAGE.tar
#
# `layers` reads, hashes and compares every file, and is to take at most 5 times as long as `tar tv | wc -l`.
set -euo pipefail
cd "$(dirname "$0")/.."

archive=$(realpath "${1:?name an archive of docker save}")
cargo build --release --quiet
dockeropt=target/release/dockeropt

# The layers, one archive after another: a pipe, so that tar reads what it passes over.
list() {
  tar xOf "$archive" manifest.json | python3 -c 'import json, sys; print(*json.load(sys.stdin)[0]["Layers"], sep="\n")' |
    while read -r layer; do tar xOf "$archive" "$layer" | tar tvf - --warning=no-timestamp; done | wc -l
}
best() {
  local fastest=999999 start end
  for _ in 1 2 3 4 5; do
    start=$(date +%s%N)
    "$@" > /dev/null
    end=$(date +%s%N)
    fastest=$(( (end - start) / 1000000 < fastest ? (end - start) / 1000000 : fastest ))
  done
  echo "$fastest"
}
cat "$archive" > /dev/null
tar_time=$(best list)
own_time=$(best "$dockeropt" layers "$archive" --format json)
echo "tar tv: ${tar_time} ms, dockeropt layers: ${own_time} ms, ratio $(python3 -c "print(round($own_time / $tar_time, 2))")"

# 5 GB in 250,000 files of 20 kB, five layers, never on the disk.
generate() {
  python3 - << 'PYTHON'
import io, json, sys, tarfile

LAYERS, FILES, SIZE = 5, 50_000, 20_000
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")

def member(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)

one = 512 + -(-SIZE // 512) * 512
for layer in range(LAYERS):
    info = tarfile.TarInfo(f"{layer}/layer.tar")
    info.size = FILES * one + 1024
    out.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))
    for file in range(FILES):
        content = f"{layer} {file} ".encode().ljust(SIZE, b"x")
        out.fileobj.write(member(f"usr/lib/{layer}/{file // 100}/file-{file}.txt", SIZE) + content.ljust(one - 512, b"\0"))
    out.fileobj.write(bytes(1024 + (-info.size) % 512))
for name, value in {
    "config.json": {"os": "linux", "architecture": "amd64"},
    "manifest.json": [{"Config": "config.json", "RepoTags": ["big:1"], "Layers": [f"{n}/layer.tar" for n in range(LAYERS)]}],
}.items():
    text = json.dumps(value).encode()
    info = tarfile.TarInfo(name)
    info.size = len(text)
    out.addfile(info, io.BytesIO(text))
out.close()
PYTHON
}
generate | python3 -c '
import resource, subprocess, sys
subprocess.run([sys.argv[1], "layers", "-", "--format", "json"], check=True, stdout=subprocess.DEVNULL)
print("5 GB:", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, "MB of memory at most")
' "$dockeropt"
