from fastnn.datasets.imdb import *
