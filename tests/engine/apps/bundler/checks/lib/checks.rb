# Checks.
module Checks
  def self.check(value) = value || raise
end
