from fastnn.constraints import *
