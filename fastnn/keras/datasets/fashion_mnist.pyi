from fastnn.datasets.fashion_mnist import *
