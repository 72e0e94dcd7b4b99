from fastnn.datasets.cifar100 import *
