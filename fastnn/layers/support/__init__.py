"""What layers share and users do not call: argument and array checks, base classes by kind of input."""
