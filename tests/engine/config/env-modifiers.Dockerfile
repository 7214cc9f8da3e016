FROM scratch
ENV SET=value EMPTY=
ENV A=${SET:-other} B=${EMPTY:-other} C=${EMPTY-other} D=${NONE:-other} E=${NONE-other}
ENV F=${SET:+other} G=${EMPTY:+other} H=${EMPTY+other} I=${NONE:+other} J=${NONE+other}
ENV K=${NONE:-${EMPTY:-$SET}} L=${SET:?needed} M="${EMPTY?is needed}"
ENV N=${NONE:-"a b"} O="${NONE:-a b}" P=${NONE:-'$SET'}
ENV Q=$SET-$NONE-${SET} R=$SETX S=${SET}X T=$1
