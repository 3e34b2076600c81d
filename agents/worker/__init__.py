"""The local inference worker: runs the model at home and applies advice to private data."""
