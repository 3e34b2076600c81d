"""The auditor: builds the Merkle tree over the audit log and signs its checkpoints."""
