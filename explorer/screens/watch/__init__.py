"""Watch: a digit on its way through the bits to an answer."""
