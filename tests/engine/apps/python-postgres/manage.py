import getpass
import os
import sys

import psycopg2.extensions

if sys.argv[1] == "collect":
    os.makedirs("static", exist_ok=True)
    with open("static/index.txt", "w") as file:
        print("collected", file=file)
else:
    print(getpass.getuser(), open("static/index.txt").read().strip())
    print(psycopg2.extensions.libpq_version() > 90000, psycopg2.__version__)
