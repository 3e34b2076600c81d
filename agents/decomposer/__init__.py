"""The decomposer: plans a goal into steps, releases those that are ready, and joins the results."""
