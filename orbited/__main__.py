"""``python -m orbited`` is the ``orbited`` command."""

import sys

from orbited.start import main

if __name__ == "__main__":
    sys.exit(main())
