"""What stands in a cell of a stranger's table: numbers and days, read by stated rules and null where unreadable."""

from typing import Final

import polars as pl

EXCEL_ORIGIN: Final = -25_569
"""Excel's day 0 (30 December 1899) in days from 1 January 1970; its serial dates count from there."""

FIRST_SERIAL: Final = 20_000
LAST_SERIAL: Final = 60_000
"""Serial dates taken for days: 4 October 1954 to 8 April 2064."""

_SPACES: Final = r"[ \t\u00a0\u202f\u2009'\u2019]"
_TIME: Final = r"[T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)? ?([AaPp]\.?[Mm]\.?)?(Z|UTC| ?[+-][0-9]{2}:?[0-9]{2})?$"
_YEAR_FIRST: Final = "^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})$"
_COMPACT: Final = "^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})$"
_TWO: Final = "([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]"


def trimmed(expr: pl.Expr) -> pl.Expr:
    """The text of cells without spaces around it, null where nothing is left."""
    return filled(expr.cast(pl.String).str.strip_chars())


def filled(text: pl.Expr) -> pl.Expr:
    """Text, null where it is empty."""
    return text.str.extract(r"(?s)^(.+)$")  # one step: `when` would work the text out twice, and `replace` is slow to plan


def number(expr: pl.Expr, decimal: str = ".") -> pl.Expr:
    """Cells as numbers, null where unreadable.

    Thousands separators are taken out where they stand in groups of three; spaces and apostrophes may group too. "(5)" and "5-" are -5, as
    ledgers write it. A unit or a currency makes a cell unreadable. In a file with decimal commas "2.5" is unreadable, not 25: a column that
    mixes both conventions is for a person to settle.

    Parameters
    ----------
    expr
        Cells: text, or numbers already.
    decimal
        "." or ",": the sign before the fraction.

    >>> table = pl.DataFrame({"quantity": ["60", "1,200", "2.5", "(5)", "2,5", "60 tablets", ""]})
    >>> table.select(number(pl.col("quantity")))["quantity"].to_list()
    [60.0, 1200.0, 2.5, -5.0, None, None, None]
    >>> table.select(number(pl.col("quantity"), decimal=","))["quantity"].to_list()
    [60.0, 1.2, None, -5.0, 2.5, None, None]
    """
    group = "," if decimal == "." else "."
    text = trimmed(expr).str.replace_all(_SPACES, "").str.replace("−", "-", literal=True)  # the minus that typesetters use
    text = text.str.replace(r"^\((.+)\)$", "-${1}").str.replace(r"^([0-9.,]+)-$", "-${1}").str.strip_prefix("+")
    thousands = rf"(?:\{group}([0-9]{{3}}))?" * 5
    text = text.str.replace(rf"^(-?[0-9]{{1,3}}){thousands}(\{decimal}[0-9]*)?$", "${1}${2}${3}${4}${5}${6}${7}")
    # One chain, so that each step is worked out once; what would be infinite, "nan" and the other sign are spoiled for the cast to refuse.
    text = (
        text.str.replace_all(r"[^0-9eE.,+-]|[0-9]{40,}|[eE][+-]?[0-9]{3,}", "?")
        .str.replace_all(group, "?", literal=True)
        .str.replace(decimal, ".", literal=True)
    )
    return text.cast(pl.Float64, strict=False)


def day(expr: pl.Expr, order: str = "iso") -> pl.Expr:
    """Cells as days, null where unreadable.

    Read whatever the order: 2024-01-31 (also with / or . and with a time of day, which is left out), 20240131, 31 Jan 2024, 31-JAN-2024,
    31JAN2024, January 31, 2024, and Excel's serial dates from 20000 to 60000. 31/01/2024 and 31.01.24 are read only by a stated order:
    "dmy" or "mdy"; a date that the order cannot hold (25/03/2024 under "mdy") is null, never turned round. Years of two digits are 2000 to
    2068, and 1969 to 1999.

    Parameters
    ----------
    expr
        Cells: text, or dates already.
    order
        "dmy", "mdy", or anything else for neither.

    >>> table = pl.DataFrame({"filled": ["2024-03-04", "03/04/2024", "4 Mar 2024", "45355", "20240230"]})
    >>> [str(one) for one in table.select(day(pl.col("filled"), "dmy"))["filled"]]
    ['2024-03-04', '2024-04-03', '2024-03-04', '2024-03-04', 'None']
    """
    text = trimmed(expr).str.replace(_TIME, "")
    plain = text.str.replace(_YEAR_FIRST, "${1}-${2}-${3}").str.replace(_COMPACT, "${1}-${2}-${3}")
    if order in {"dmy", "mdy"}:
        month_and_day = "${2}-${1}" if order == "dmy" else "${1}-${2}"
        plain = plain.str.replace(f"^{_TWO}([0-9]{{4}})$", f"${{3}}-{month_and_day}")
        plain = plain.str.replace(f"^{_TWO}([0-5][0-9]|6[0-8])$", f"20${{3}}-{month_and_day}")
        plain = plain.str.replace(f"^{_TWO}(69|[7-9][0-9])$", f"19${{3}}-{month_and_day}")
    # The rest is worked out only where there are letters or five digits: null cells cost next to nothing.
    named = pl.when(text.str.contains("[A-Za-z]{3}")).then(text).str.replace_all("[-/,. ]+", " ")
    named = named.str.replace("^([0-9]{1,2})(?:st|nd|rd|th) ", "${1} ").str.replace(
        "^([0-9]{1,2})([A-Za-z]{3,9})([0-9]{2,4})$", "${1} ${2} ${3}"
    )
    named = named.str.replace("^([A-Za-z]{3})[a-z]* ([0-9]{1,2}) ([0-9]{4})$", "${2} ${1} ${3}")
    named = named.str.replace("^([0-9]{1,2} [A-Za-z]{3})[a-z]* ", "${1} ")
    long_year = pl.when(named.str.contains("[0-9]{4}$")).then(named)
    short_year = pl.when(named.str.contains("[A-Za-z] [0-9]{2}$")).then(named)
    serial = text.str.extract(r"^([2-6][0-9]{4})(?:\.[0-9]+)?$").cast(pl.Int32, strict=False)
    return pl.coalesce(
        pl.when(plain.str.contains("^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$")).then(plain).str.to_date("%Y-%m-%d", strict=False),
        long_year.str.to_date("%d %b %Y", strict=False),
        short_year.str.to_date("%d %b %y", strict=False),
        pl.when(serial.is_between(FIRST_SERIAL, LAST_SERIAL)).then((serial + EXCEL_ORIGIN).cast(pl.Date)),
    )


def order_evidence(expr: pl.Expr) -> dict[str, pl.Expr]:
    """How many cells look like dates, as expressions to aggregate: three (1/2/2024), and of these day_first, month_first and either."""
    text = trimmed(expr)
    small, large, sign = "(?:0?[1-9]|1[0-2])", "(?:1[3-9]|2[0-9]|3[01])", "[-/. ]"
    end = f"{sign}(?:[0-9]{{4}}|[0-9]{{2}})(?:$|[T ])"
    twice = "|".join(f"0?{number}{sign}0?{number}" for number in range(1, 13))
    day_first, month_first = text.str.contains(f"^{large}{sign}{small}{end}"), text.str.contains(f"^{small}{sign}{large}{end}")
    both, same = text.str.contains(f"^{small}{sign}{small}{end}"), text.str.contains(f"^(?:{twice}){end}")
    return {
        "three": (day_first | month_first | both).sum(),
        "day_first": day_first.sum(),
        "month_first": month_first.sum(),
        "either": (both & ~same).sum(),
    }


def settled_order(three: int, day_first: int, month_first: int, either: int) -> str:
    """dmy, mdy, ambiguous, mixed or, without such dates, iso; from the counts of `order_evidence`."""
    if day_first and month_first:
        return "mixed"
    if day_first or month_first:
        return "dmy" if day_first else "mdy"
    if either:
        return "ambiguous"
    return "dmy" if three else "iso"  # 05/05/2024 is the same day in both


def date_order(series: pl.Series) -> str:
    """Which of day and month stands first in dates such as 03/04/2024, from the values alone.

    Returns
    -------
    str
        "dmy" or "mdy" where a value above 12 settles it; "ambiguous" where none does; "mixed" where both "
        "occur in one column; "iso" where no
        date is written so.

    >>> date_order(pl.Series(["03/04/2024", "25/04/2024"]))
    'dmy'
    >>> date_order(pl.Series(["03/04/2024", "2024-04-25"]))
    'ambiguous'
    """
    found = series.to_frame("cell").select(**order_evidence(pl.col("cell"))).row(0, named=True)
    return settled_order(*(found[name] for name in ("three", "day_first", "month_first", "either")))
