# unknown: author
FROM debian:bookworm-slim AS build
ENV SECRET=1
WORKDIR /out
USER nobody
FROM scratch AS numbered
COPY --from=0 /etc/hostname* /h/
FROM scratch
COPY --from=build --chown=1:1 /out /out
ENV PLAIN=1
