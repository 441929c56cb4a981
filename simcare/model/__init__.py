"""The nouns: frozen, self-checking values. This package imports nothing else of ours."""

from simcare.model.model import About, Figure, Model, Modifier, Programme, figures
from simcare.model.number import GRADES, Number, Numbers, Series, Sourced, Step

__all__ = [
    "GRADES",
    "About",
    "Figure",
    "Model",
    "Modifier",
    "Number",
    "Numbers",
    "Programme",
    "Series",
    "Sourced",
    "Step",
    "figures",
]
