"""python -m hfspace."""

import os
import sys

# `-m` puts the working directory first, and a manifest's folder may hold a yaml.py of somebody else.
if not sys.flags.safe_path and sys.path[0] in {"", os.getcwd()}:
    del sys.path[0]

from hfspace.cli.main import main

main()
