"""Looking inside: does a gradient agree with finite differences, and where does it not?"""

from fastnn.inspect.gradient_check import GradientCheck, GradientError, check_gradients, gradient_check, kernel_check

__all__ = ["GradientCheck", "GradientError", "check_gradients", "gradient_check", "kernel_check"]
