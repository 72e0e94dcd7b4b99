from fastnn.random import *
