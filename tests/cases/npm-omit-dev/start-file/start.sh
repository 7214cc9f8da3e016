#!/bin/sh
# nodemon would be nice
exec npm run dev
