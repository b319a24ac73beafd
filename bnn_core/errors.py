"""The one error for bad input: its message is a sentence that a person can act on."""


class InputError(ValueError):
    """Input that cannot be used: a file, a field, an argument.

    The message is one sentence that names the field or file, what came and what is allowed. The
    command line prints it and exits with 2; the pages show it as it is.
    """
