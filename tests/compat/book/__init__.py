"""The books' classes, beside plain NumPy written from the formulas (`plain`), in the books' scripts (`scripts`)."""
