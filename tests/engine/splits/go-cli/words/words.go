// Package words makes sentences.
package words

import "strings"

// Greet names all of them.
func Greet(names []string) string {
	return "hello " + strings.Join(names, " and ")
}
