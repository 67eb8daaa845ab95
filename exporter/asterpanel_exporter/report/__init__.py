"""Reports from the journal, in the terminal."""
