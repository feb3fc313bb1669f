"""Lockfiles, one format a file; the table of them is ``collectors.readers.lockfile``.

A format is a function ``read(lock: Lock) -> Read``: it takes the text of a file and gives its pins to
``pins.read_of``. What it cannot read it raises as UnseenError, or adds as an unseen entry, with the place.
"""
