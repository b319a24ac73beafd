"""What one looks at in a network's bits, computed on packed words or counted exactly.

codes     the bits of hidden units: class codes, distances, entropy, dead units
weights   the bits of weights: flips, balance, saturation, units alike
order     the order of units that makes them legible
"""
