"""Identity: who asks, proven by a token, and what the token allows."""
