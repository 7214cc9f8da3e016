# syntax-free
# unknown: author
FROM debian:bookworm-slim
ENV A=1
RUN export A=2; cd /tmp; true
RUN ["true", "$A"]
COPY <<EOF /hello
$A
EOF
WORKDIR tmp
