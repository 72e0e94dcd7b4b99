from fastnn.optimizers import *
