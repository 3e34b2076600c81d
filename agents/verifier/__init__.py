"""The self-verifier: checks each draft against the task, private records and the advice before it is believed."""
