"""What things are: facts, items, versions, fingerprints, expressions. Pure: no I/O, no clock."""
