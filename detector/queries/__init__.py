"""What Parity can be asked: one query for every door, so that no two of them can disagree."""
