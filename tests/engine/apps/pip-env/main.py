import os

import colorama

print(os.environ["GREETING"], colorama.__version__)
