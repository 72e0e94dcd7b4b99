"""Looking inside: does a gradient agree with finite differences, and what does a recurrent layer do at each step?"""

from fastnn.inspect.gradient_check import GradientCheck, GradientError, check_gradients, gradient_check, kernel_check
from fastnn.inspect.trace import trace

__all__ = ["GradientCheck", "GradientError", "check_gradients", "gradient_check", "kernel_check", "trace"]
