FROM rust:1 AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY rules rules
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/dockeropt /usr/local/bin/

FROM debian:bookworm-slim
COPY --from=build /usr/local/bin/dockeropt /usr/local/bin/
# Who else may write to a mounted folder is known to `docker run --user`.
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["dockeropt"]
CMD ["check"]
