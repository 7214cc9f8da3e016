package main

import _ "embed"

//go:embed banner.txt
var banner string

func main() {}
