"""The terminal's grids: what `painlab sweep --lever` takes, and what it prints of a sweep over levers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from painlab.cli.terminal import console_for_reading, table_with
from painlab.errors import InputError

if TYPE_CHECKING:
    from painlab.grids import Grid
    from painlab.swept import Sweep

TABLES: Final = ("levers.parquet", "summary.parquet", "effects.parquet")
AVERAGED: Final = ("mme_per_1000", "pain", "function")
_MOST_ROWS: Final = 24
_MOST_LEVERS: Final = 4  # that have a column


def grid_of(scenarios: Sequence[str], moves: Sequence[str], design: str, seed: int) -> "Grid":
    """The grid that the options ask for. Raises InputError that names the option."""
    from painlab import grids
    from painlab.simulation import whole_number
    from painlab.tables import printable

    if not scenarios:
        raise InputError("there is no scenario whose levers could be moved", expected="at least one name", mend="Name it before --lever.")
    whole_number("seed", seed, 0, 2**63 - 1)
    asked: dict[str, str] = {}
    for move in moves:
        key, sign, values = (part.strip() for part in move.partition("="))
        if not sign or not key or not values:
            expected = "a lever and its values, as --lever physical_therapy.start_week=0,2,8"
            raise InputError(f'"{printable(move, 80)}" has no {"value" if key else "lever"}', where="--lever", expected=expected)
        if key in asked:
            mend = "Put all its values behind one --lever."
            raise InputError(f"the lever {printable(key, 80)} is named twice", where="--lever", expected="each lever once", mend=mend)
        asked[key] = values
    try:
        return grids.grid(scenarios, asked, design=design, seed=seed)
    except InputError as error:
        if error.where.startswith("lever ") or error.where == "design":
            raise InputError(error.problem, where=f"--{error.where}", expected=error.expected, mend=error.mend) from None
        raise


def pictures(made: "Sweep") -> tuple[str, ...]:
    """Write the picture of a grid with one or two levers; none for others. Returns the names of the files."""
    from painlab.views import grid_chart

    try:
        grid_chart.drawable(made)
    except InputError:
        return ()
    return grid_chart.write(made)


def report(made: "Sweep") -> None:
    """Print a grid's scenarios by their levers with the differences from their baselines, and what the levers do."""
    from painlab import narrative
    from painlab.outcomes import BY_NAME

    console = console_for_reading()
    levers = made.levers
    assert levers is not None
    ready = [name for name in made.names if made.whole_draws[name]]
    if not ready:
        console.print("\nNo scenario has a whole draw yet.")
        return
    keys = levers.columns[2:]
    shown = keys[:_MOST_LEVERS]
    several = levers["of"].n_unique() > 1
    frames = {outcome: made.summary.filter(outcome=outcome) for outcome in AVERAGED}
    order = frames["mme_per_1000"].sort("difference", maintain_order=True)["name"].to_list()
    kept = set(order) if len(order) <= _MOST_ROWS else {*order[: _MOST_ROWS // 2], *order[-_MOST_ROWS // 2 :]}
    table = table_with(
        "scenario", *(("of",) if several else ()), *(key.replace(".", ".\n") for key in shown), *(BY_NAME[name].label for name in AVERAGED)
    )
    table.columns[0].no_wrap = True
    for column in table.columns[1 + several :]:
        column.justify = "right"
    for row in levers.filter(levers["name"].is_in(kept)).iter_rows(named=True):
        cells = []
        for outcome in AVERAGED:
            one = narrative.compared(frames[outcome].filter(name=row["name"]), outcome)
            band = narrative.interval(one.low, one.high, one.digits)
            cells.append(narrative.signed(one.difference, one.digits) + (f"\n({band})" if band else ""))
        table.add_row(row["name"], *((row["of"],) if several else ()), *(f"{row[key]:.4g}" for key in shown), *cells)
    units = ", ".join(f"{BY_NAME[name].label.lower()} in {BY_NAME[name].unit}" for name in AVERAGED)
    console.print(f"\nDifference from the baseline, mean over the horizon ({units}):")
    console.print(table)
    notes = []
    if len(kept) < len(order):
        notes.append(f"Shown are the {_MOST_ROWS} of {len(order):,} scenarios with the least and the most demand.")
    if len(shown) < len(keys):
        notes.append(f"{len(keys) - len(shown)} more levers are not shown.")
    if notes:
        console.print(f"{' '.join(notes)} summary.parquet has them all.")
    if made.complete:
        console.print()
        for sentence in made.sentences:
            console.print(sentence, markup=False)
