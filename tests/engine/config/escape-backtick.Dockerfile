# escape=`
FROM scratch
ENV A=C:\dir B=a` b C="x`"y" `
    D=`$A
LABEL path="C:\x\"
WORKDIR /a\b
CMD echo `
  done
