from fastnn.models import *
