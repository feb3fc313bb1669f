"""What answers over HTTP: the REST interface, the pages, and who may ask for what."""
