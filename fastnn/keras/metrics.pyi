from fastnn.metrics import *
