"""Compose projects: their files, the variables in them, and what their services say."""
