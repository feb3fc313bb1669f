"""Compose projects, and what `docker compose config` makes of each."""
