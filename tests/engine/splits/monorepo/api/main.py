import json

from tabulate import tabulate

with open("shared/prices.json") as file:
    print(tabulate(json.load(file).items()))
