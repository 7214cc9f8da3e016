FROM scratch AS base
LABEL a=1 b="two words" c='three $a' d=e\ f
LABEL legacy  value  with  blanks
LABEL "quoted key"="x" 'other key'=y
LABEL multi="first \
second"
FROM base
LABEL a=2
LABEL empty= org.opencontainers.image.title=caf\é
