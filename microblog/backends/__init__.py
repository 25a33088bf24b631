"""The outside world, a package a service; each has a Protocol and an `open_…(settings)`."""
