FROM scratch AS shell
HEALTHCHECK --interval=5m --timeout=3s --start-period=1m30s --retries=4 CMD curl -f http://localhost/ || exit 1
FROM scratch AS exec
HEALTHCHECK --start-interval=500ms CMD ["/check", "-v"]
FROM shell AS none
HEALTHCHECK NONE
FROM shell AS inherited
FROM shell
HEALTHCHECK CMD   two   blanks
