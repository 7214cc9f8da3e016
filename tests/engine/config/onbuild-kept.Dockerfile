# unknown: author
FROM debian:bookworm-slim AS base
ONBUILD ENV A=$X
ONBUILD   RUN   echo  hi  
onbuild LABEL x="y z"
ONBUILD CMD ["a", "b"]
FROM base AS child
ONBUILD USER app
FROM child
