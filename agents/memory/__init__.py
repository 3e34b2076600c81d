"""The memory agent: owns the private store; nobody else opens it."""
