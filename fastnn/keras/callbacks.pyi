from fastnn.callbacks import *
