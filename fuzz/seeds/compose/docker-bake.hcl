1variable "A" { default = "b" }
group "default" { targets = ["a"] }
target "a" {
  context = "."
  args = { A = "${A}-c" }
  inherits = ["b"]
}
