FROM scratch AS base
CMD ["base"]
FROM base AS dropped
ENTRYPOINT ["/e"]
FROM base AS own-before
CMD ["own"]
ENTRYPOINT ["/e"]
FROM base AS own-after
ENTRYPOINT ["/e"]
CMD ["own"]
FROM own-before AS only-cmd
CMD ["new"]
# unknown: author
FROM debian:bookworm-slim
ENTRYPOINT ["/e"]
