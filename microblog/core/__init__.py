"""Pure rules: no I/O, no await, no knowledge of HTTP or of the database. Everyone may call them."""
