"""What the service does, one verb a file: collect, compare, review, deliver."""
