"""PyTorch: modules as models, and weights to and from state dicts.

``forms.py`` says how the weights of each layer are laid out in PyTorch, ``parts.py`` which parts a model has,
``state_dict.py`` writes and reads them; ``chain.py``, ``modules.py`` and ``blocks.py`` make models of modules.
"""

from .modules import from_torch
from .state_dict import load_torch_state_dict, to_torch_state_dict

__all__ = ["from_torch", "load_torch_state_dict", "to_torch_state_dict"]
