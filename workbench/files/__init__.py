"""Files: what one really is, its encoding, the rows of a table, and exports that are safe to open."""
