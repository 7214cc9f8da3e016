#!/bin/sh
exec node main.js
