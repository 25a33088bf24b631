"""The door of every surface: who is asking, may they, in which language, and what if it fails."""
