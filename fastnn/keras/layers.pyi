from fastnn.layers import *
