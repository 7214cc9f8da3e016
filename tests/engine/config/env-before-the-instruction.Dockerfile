FROM scratch
ENV A=1 B=2
ENV A=x B=$A C=$A
ENV D=$C E=$D
ENV D=y
