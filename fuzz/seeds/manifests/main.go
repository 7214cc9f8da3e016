"//go:build linux && !cgo

package main

import (
	"C"
	_ "embed"
)

//go:embed a/*
var x string
