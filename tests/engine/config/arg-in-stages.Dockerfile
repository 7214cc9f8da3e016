FROM scratch AS base
ARG A=1
ENV B=$A
FROM base AS child
ENV C=$A
FROM scratch
ENV D=x$A
