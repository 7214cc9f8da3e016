# unknown: author
FROM debian:bookworm-slim AS bash
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
CMD echo hello
FROM bash AS child
ENTRYPOINT exec true
FROM debian:bookworm-slim
CMD before
SHELL ["sh", "-c"]
