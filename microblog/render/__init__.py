"""What leaves the house, made once: view objects, post markup, JSON, and the frames of /live."""
