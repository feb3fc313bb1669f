"""Who hears what: the summary of one group of drifts, its way to receivers, and each channel's form of it."""
