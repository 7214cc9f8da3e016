# unknown: author
FROM debian:bookworm-slim
ENV PATH=/opt/bin:$PATH LANG=C.UTF-8
ENV HERE=$HOME WHERE=${PWD:-nowhere}
