FROM scratch AS plain
MAINTAINER Somebody <somebody@example.org>
FROM scratch AS quoted
MAINTAINER "Some Body" <x@example.org>
FROM plain
LABEL maintainer=other
