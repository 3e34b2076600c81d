"""The cloud consultant: the one process with a cloud key and a way out; it holds nothing private."""
