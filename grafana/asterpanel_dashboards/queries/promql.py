"""Pieces of PromQL."""

from __future__ import annotations


def once(expression: str, *labels: str) -> str:
    """By these labels; what two exporters of one switchboard tell counts once."""
    return f"max by ({', '.join(labels)}) ({expression})"
