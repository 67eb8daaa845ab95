"""Event points: what they are, and how they are written."""
