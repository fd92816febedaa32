"""``python -m morbid`` is the command ``morbid``."""

import sys

from morbid.start import main

if __name__ == "__main__":
    sys.exit(main())
