from scratch As Base
env NAME=日本 EMOJI="😀 $NAME"
Label ключ=значение
expose 80/TCP
cmd ["naïve"]
FROM base
ENV X=${NAME:-x} Y=${EMOJI#😀} Z=${NAME/日/x}
