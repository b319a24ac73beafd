"""Networks as values: bitwise, real, and what is made of them."""
