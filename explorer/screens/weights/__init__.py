"""Weights: every bit that was learned."""
