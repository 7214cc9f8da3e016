FROM scratch
ENV X=v
ENV A='$X' B="$X" C=\$X D="\$X" E='it'"'"'s' F="a\"b" G=a\\b H="a\\b" I='a\b' J="a\b" K=a\b
ENV L "$X" '$X' \$X
ENV M=#no-comment N=a#b
