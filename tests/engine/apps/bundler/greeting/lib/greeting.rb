# Greets.
module Greeting
  def self.to(name) = "hello, #{name}"
end
