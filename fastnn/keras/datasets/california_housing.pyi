from fastnn.datasets.california_housing import *
