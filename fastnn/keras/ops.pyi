from fastnn.ops import *
