FROM scratch AS base
ENV D=/env
VOLUME /a /b
VOLUME ["/c d", "/e"]
VOLUME $D ${D}/sub
FROM base
VOLUME /a
VOLUME relative
