# build-arg: GIVEN=g
# build-arg: GLOBAL=gg
# build-arg: STRAY=s
ARG GLOBAL=default
FROM scratch
ARG GIVEN=default
ARG GLOBAL
ARG OTHER=$GIVEN-$GLOBAL
ENV A=$GIVEN B=$GLOBAL C=$OTHER D=x$STRAY
ARG GIVEN=again
ENV E=$GIVEN
