"""Training tasks: what a network learns, and how."""
