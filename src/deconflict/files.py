"""Files of any known format: which format it is, and its entities."""
