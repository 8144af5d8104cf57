"""python -m hfspace."""

from hfspace.cli.main import main

main()
