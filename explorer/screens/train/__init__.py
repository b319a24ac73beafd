"""Train: both phases live, replayed, and branched."""
