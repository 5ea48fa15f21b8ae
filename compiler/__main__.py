"""`python -m tecompile`: the same program where scripts are not on PATH."""

from .cli import main

main()
