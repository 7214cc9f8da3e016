package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"time"
)

func main() {
	text, err := os.ReadFile(os.Getenv("CONFIG"))
	if err != nil {
		panic(err)
	}
	var site struct{ Title, Zone string }
	if err := json.Unmarshal(text, &site); err != nil {
		panic(err)
	}
	zone, err := time.LoadLocation(site.Zone)
	if err != nil {
		panic(err)
	}
	page := template.Must(template.ParseFiles("templates/index.html"))
	if err := page.Execute(os.Stdout, site); err != nil {
		panic(err)
	}
	fmt.Println(os.Getuid(), os.Args[1:], time.Unix(0, 0).In(zone))
}
