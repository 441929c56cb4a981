"""What people write down: frozen values that check themselves."""

from simcare.model.fields import About, Modifier, Programme
from simcare.model.model import Figure, Model, sourced_figures
from simcare.model.number import GRADES, DatedNumber, Number, Numbers, Sourced, Step

__all__ = [
    "GRADES",
    "About",
    "DatedNumber",
    "Figure",
    "Model",
    "Modifier",
    "Number",
    "Numbers",
    "Programme",
    "Sourced",
    "Step",
    "sourced_figures",
]
