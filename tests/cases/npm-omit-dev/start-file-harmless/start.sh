#!/bin/sh
# nodemon would be nice
exec npm start
