"""Activations: codes of digits and classes, and how far they lie apart."""
