#!/bin/sh
# tsc
npx tsc
