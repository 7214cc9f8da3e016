import yaml

print(yaml.safe_load("[1, two, {three: 3}]"))
