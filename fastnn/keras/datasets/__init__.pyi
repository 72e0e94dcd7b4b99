from fastnn.datasets import *
