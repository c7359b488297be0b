"""Numbers to plain sentences, once, for the terminal, the explorer, the lessons and the slides."""

import polars as pl


def summary(weekly: pl.DataFrame, title: str, weeks: int, level: float) -> str:
    """Say what a projection shows in a few sentences."""
    return title
