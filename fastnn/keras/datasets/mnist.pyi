from fastnn.datasets.mnist import *
