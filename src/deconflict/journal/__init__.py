"""The journal: an append-only sequence of entries, and the proofs of what stands in it.

It knows nothing of entities: bytes in, bytes out.
"""
