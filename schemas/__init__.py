"""What travels between agents: the contract. Imports nothing of ours."""
