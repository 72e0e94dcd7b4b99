from fastnn.regularizers import *
