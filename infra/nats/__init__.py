"""The embedded NATS server: found, started on loopback with its own data folder, and watched."""
