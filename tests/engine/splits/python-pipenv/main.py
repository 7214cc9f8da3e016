from tabulate import tabulate

print(tabulate([["tea", 3]], headers=["what", "price"]))
