FROM scratch AS named
USER app
FROM named AS grouped
USER 1000:1000
FROM named AS inherited
FROM scratch
ARG UID=33
USER ${UID}:www
