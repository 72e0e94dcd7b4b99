from fastnn.datasets.cifar10 import *
