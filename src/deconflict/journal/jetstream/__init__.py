"""The NATS JetStream engine: streams that several nodes share, on one server or three."""
