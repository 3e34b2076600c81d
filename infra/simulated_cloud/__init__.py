"""A simulated cloud for a machine without a key: the Messages API over loopback, answered by the local model.

It is a process of its own, so that what crosses to it crosses a real socket, and it records every byte it gets.
"""
