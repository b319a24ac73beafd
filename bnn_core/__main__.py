"""``python -m bnn_core``."""

from bnn_core.cli import main

if __name__ == "__main__":
    main()
