"""Reads: every `select()` of the project. Called by surfaces and actions with a `Read`."""
