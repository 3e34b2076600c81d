"""How messages travel: topology, work loop, identities, state, audit and the client."""
