"""A training run as a folder of small facts: written, read, found, branched, shipped."""
