package main

import (
	"fmt"
	"os"
)

func main() {
	text, err := os.ReadFile("/prices.json")
	if err != nil {
		panic(err)
	}
	fmt.Print(string(text))
}
