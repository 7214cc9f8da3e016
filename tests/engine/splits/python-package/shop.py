from tabulate import tabulate


def main():
    print(tabulate([["tea", 3]], headers=["what", "price"]))
