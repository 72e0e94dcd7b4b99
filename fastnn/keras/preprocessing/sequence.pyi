from fastnn.preprocessing.sequence import *
