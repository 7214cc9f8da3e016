Gem::Specification.new do |spec|
  spec.name = 'checks'
  spec.version = '1.0.0'
  spec.summary = 'checks'
  spec.authors = ['Ada Lovelace']
  spec.files = ['lib/checks.rb']
end
