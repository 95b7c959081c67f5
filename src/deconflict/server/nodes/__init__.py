"""Several nodes over one engine: who decides, how the others follow, forward and join.

The node that holds the engine's lease, the *sequencer*, decides and appends; all others forward
what changes something to it. Every node follows the journal and answers reads from a register of
its own, once a barrier has told how far the journal reaches. No promise rests on the lease: two
nodes that both think they decide are kept apart by the head that each append expects.
"""
