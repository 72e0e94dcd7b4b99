from fastnn.preprocessing.text import *
