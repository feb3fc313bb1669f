"""Files of settings, each format as one tree of maps, lists and scalars."""
