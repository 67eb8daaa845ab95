"""The control API: who may do what on the switchboards, and doing it."""
