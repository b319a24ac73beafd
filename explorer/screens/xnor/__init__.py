"""XNOR: one unit at work, word by word."""
