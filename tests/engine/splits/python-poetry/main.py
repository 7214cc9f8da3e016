import greeting

print(greeting.to("world"))
