#!/bin/sh
printf '%s' "$1" | jq --arg id "$(id -un)" '.ok = (.user == $id)'
touch written
ls -l | cut -d ' ' -f 1-4
