"""How the mesh runs: command line, embedded servers, model store, deployment files."""
