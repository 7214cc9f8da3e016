Gem::Specification.new do |spec|
  spec.name = 'greeting'
  spec.version = '1.0.0'
  spec.summary = 'Greets'
  spec.authors = ['Ada Lovelace']
  spec.homepage = 'https://example.com/greeting'
  spec.license = 'MIT'
  spec.files = ['lib/greeting.rb']
  spec.required_ruby_version = '>= 2.7'
end
