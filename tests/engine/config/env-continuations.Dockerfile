FROM scratch
ENV A=1 \
    # a comment that is dropped
    B=2 \

    C="3 \
4"
ENV LEGACY \
  -Xmx1g   -server
LABEL a=1 \
      b="2 \
      3"
