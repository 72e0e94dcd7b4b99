from fastnn.optimizers.schedules import *
