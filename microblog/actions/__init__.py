"""Writes: every insert, update and delete, and the only places that announce events."""
