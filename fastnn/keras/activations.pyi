from fastnn.activations import *
