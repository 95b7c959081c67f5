"""`deconflict journal`: the record of a data folder, one module a command."""
