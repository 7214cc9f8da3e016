#!/bin/sh
exec ./x
