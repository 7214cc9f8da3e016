import six

print(six.ensure_str(b"installed by pipenv"))
