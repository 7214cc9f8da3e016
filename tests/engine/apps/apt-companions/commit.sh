#!/bin/sh
set -e
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
git init --quiet --initial-branch main /tmp/repository
cd /tmp/repository
git -c user.name=Ada -c user.email=ada@example.com commit --quiet --allow-empty --message first
git log --oneline
ls "$(git --exec-path)/git-remote-https"
