# syntax-like comments are no directives
FROM scratch
ENV V=1.22.3-rc.1 P=/srv/www/app.tar.gz S=a*b*c
ENV A=${V#*.} B=${V##*.} C=${V%.*} D=${V%%.*} E=${V%-*}
ENV F=${P##*/} G=${P%/*} H=${P%%.tar.gz} I=${P#/srv}
ENV J=${V/./_} K=${V//./_} L=${P//\//-} M=${V//[0-9]/x} N=${V/-rc*/}
ENV O=${S%\**} Q=${NONE#x} R=${NONE/x/y} T=${V#?} U=${V%?}
