"""``python -m bnn_core``."""

from bnn_core.commands.app import main

if __name__ == "__main__":
    main()
