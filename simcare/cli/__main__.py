"""``python -m simcare.cli`` is ``simcare``."""

from simcare.cli import main

main()
