FROM scratch AS absolute
WORKDIR /a/b/
FROM absolute AS relative
WORKDIR c
WORKDIR ../d
FROM scratch AS dots
WORKDIR /x/./y/../z
FROM scratch AS first-relative
WORKDIR app
FROM scratch AS slashes
WORKDIR //a///b
FROM scratch AS blanks
WORKDIR /a b/c
