"""The classifier: finds what is private, labels it, puts surrogates in its place, and is the only door to the cloud."""
