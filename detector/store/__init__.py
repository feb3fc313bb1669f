"""The store: the only SQL of Parity."""
