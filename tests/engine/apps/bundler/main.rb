require 'greeting'

puts Greeting.to('world')
