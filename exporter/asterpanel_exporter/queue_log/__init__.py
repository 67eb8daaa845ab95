"""Asterisk's own log of its queues as points."""
