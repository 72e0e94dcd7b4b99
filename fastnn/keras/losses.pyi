from fastnn.losses import *
