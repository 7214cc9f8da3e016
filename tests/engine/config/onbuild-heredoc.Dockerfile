# unknown: author
FROM debian:bookworm-slim AS base
ONBUILD COPY <<one <<two /here/
1 $X
one
2
two
ONBUILD RUN <<-EOT
	true
	EOT
FROM scratch
