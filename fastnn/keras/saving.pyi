from fastnn.saving import *
