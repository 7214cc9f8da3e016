import sys

from tabulate import tabulate

print(sys.prefix)
print(tabulate([["a", 1], ["b", 2]], headers=["name", "count"]))
