import numpy

print(numpy.arange(6).reshape(2, 3).sum(axis=0))
