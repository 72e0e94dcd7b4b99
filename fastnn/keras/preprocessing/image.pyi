from fastnn.preprocessing.image import *
