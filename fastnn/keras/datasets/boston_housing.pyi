from fastnn.datasets.boston_housing import *
