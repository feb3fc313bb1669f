"""parity.yml: found, read with its line numbers, checked, and handed on as one frozen record."""
