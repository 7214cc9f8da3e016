#!/bin/sh
echo "$1 $VERSION" as "$(id -un)"
