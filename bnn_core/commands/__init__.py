"""The command line, ``python -m bnn_core``: one file a concern, all registered in ``app``."""
