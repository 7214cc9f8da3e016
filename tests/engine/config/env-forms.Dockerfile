FROM scratch
ENV LEGACY one  two   three  
ENV A=1 B="two words" C='single words' D=escaped\ words E=
ENV F=a"b c"d'e f'g
ENV G "quoted legacy" H=not-a-pair
ENV _x=lower __Y=2
