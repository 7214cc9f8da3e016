package main

import (
	"fmt"
	"os"

	"example.com/tools/words"
)

func main() {
	fmt.Println(words.Greet(os.Args[1:]))
}
