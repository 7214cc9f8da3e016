Gem::Specification.new do |spec|
  spec.name = 'greeting'
  spec.version = '1.0.0'
  spec.summary = 'greeting'
  spec.authors = ['Ada Lovelace']
  spec.files = ['lib/greeting.rb']
end
