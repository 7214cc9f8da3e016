#!/usr/bin/env bash
# multi-gitter: a pull request for each repository whose Dockerfiles change.
# multi-gitter run "$PWD/multi-gitter.sh" --org ORGANIZATION --branch dockeropt --commit-message "Smaller images, faster rebuilds"
#
# It runs in a clone of each repository. What it changes is committed; where it changes nothing there is no pull request.
set -uo pipefail

"${DOCKEROPT:-dockeropt}" fix --write
status=$?
# 2: some files could not be done, which standard error names. The others were, and are worth a pull request.
[ "$status" = 0 ] || { [ "$status" = 2 ] && ! git diff --quiet; }
