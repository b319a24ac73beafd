"""Results: the paper's table run again, and what each setting does."""
