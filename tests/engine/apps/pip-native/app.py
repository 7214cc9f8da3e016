from markupsafe import _speedups, escape

print(_speedups.__name__, escape("<a>"))
