from fastnn.initializers import *
