import packaging.version
import six
import tomli

print(six.__version__, tomli.loads("a = 1"), packaging.version.parse("1.0") < packaging.version.parse("1.1"))
