"""The router: decides for each step where it runs, and says why."""
