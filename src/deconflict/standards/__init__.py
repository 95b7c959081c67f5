"""Standards' wire types and their mapping to and from the register."""
