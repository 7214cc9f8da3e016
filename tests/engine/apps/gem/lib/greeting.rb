# Greets.
module Greeting
  # The greeting of somebody.
  def self.to(name) = "hello, #{name}"
end
