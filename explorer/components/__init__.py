"""The browser components: `bit_matrix` draws bits and digits, `digit_pad` takes one, `theme` watches."""
