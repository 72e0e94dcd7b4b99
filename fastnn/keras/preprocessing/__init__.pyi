from fastnn.preprocessing import *
