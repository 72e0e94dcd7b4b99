from fastnn.utils import *
