from fastnn.datasets.reuters import *
