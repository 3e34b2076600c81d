"""Who does the work: one folder an agent, each of the same shape."""
