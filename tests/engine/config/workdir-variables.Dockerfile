# unknown: author
FROM debian:bookworm-slim
ENV ROOT=/srv NAME="my app"
WORKDIR $ROOT/${NAME}
WORKDIR ${NONE:-sub}
WORKDIR "quoted"
