"""The local store of all points: SQLite, written before anything else."""
