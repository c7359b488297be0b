"""Numbers to plain sentences, once, for the terminal, the explorer, the lessons and the slides.

Functions of the weekly frame alone (columns of `Projection.weekly`). `averages` is the frame of the same columns without `week`
(`Projection.averages`): means over the horizon whose bands come from the draws. Without it the weekly bands are averaged, which gives
bands that are a little too wide. Opioid demand never stands alone: pain and function are said in the same breath.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from painlab.outcomes import BY_NAME

_COUNTED: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WEEKS_PER_YEAR: Final = 52
_LONGEST_HEADLINE: Final = 90
_OF_DRAWS: Final = {
    "posterior": ", which are calibrated to published trials",
    "prior": ", which come from prior ranges, not calibrated to trials",
}


class Compared(NamedTuple):
    """One outcome of both arms, at one week or averaged; low and high are None without a band. Units are the outcome's."""

    name: str
    baseline: float
    scenario: float
    difference: float
    low: float | None
    high: float | None

    @property
    def digits(self) -> int:
        """Decimals that the outcome is given with."""
        return BY_NAME[self.name].digits

    @property
    def same(self) -> bool:
        """Whether the arms are equal in every digit that is shown."""
        return all(round(value, self.digits) == 0.0 for value in (self.difference, self.low or 0.0, self.high or 0.0))

    @property
    def direction(self) -> int:
        """1 if the scenario's value is higher, -1 if lower, 0 if its band holds zero or it rounds to nothing."""
        if round(self.difference, self.digits) == 0.0 or (self.low is not None and self.high is not None and self.low <= 0.0 <= self.high):
            return 0
        return 1 if self.difference > 0.0 else -1

    @property
    def leaning(self) -> int:
        """The direction if the difference shows with one decimal less, otherwise 0: what a verdict may rest on."""
        return self.direction if abs(self.difference) >= self.least_that_leans else 0

    @property
    def least_that_leans(self) -> float:
        """Half a unit of the last decimal but one."""
        return 0.5 * 10.0 ** (1 - self.digits)


def horizon_words(weeks: int) -> str:
    """Say a horizon.

    >>> horizon_words(104), horizon_words(52), horizon_words(26), horizon_words(1)
    ('two years', 'one year', '26 weeks', 'one week')
    """
    years, rest = divmod(weeks, _WEEKS_PER_YEAR)
    if rest or not 1 <= years < len(_COUNTED):
        return "one week" if weeks == 1 else f"{weeks} weeks"
    return f"{_COUNTED[years]} year{'s' if years > 1 else ''}"


def plain(value: float, digits: int = 0) -> str:
    """A number with thousands parted, and no sign on what rounds to zero.

    >>> plain(1310.4), plain(-0.001, 2)
    ('1,310', '0.00')
    """
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def signed(value: float, digits: int = 0, unit: str = "") -> str:
    """A difference with its sign; what rounds to zero has none.

    >>> signed(-4.2, 1, "MME/day"), signed(12, 0), signed(-0.001, 2)
    ('-4.2 MME/day', '+12', '0.00')
    """
    number = plain(value, digits)
    text = f"+{number}" if round(value, digits) > 0.0 else number
    return f"{text} {unit}" if unit else text


def interval(low: float | None, high: float | None, digits: int = 0) -> str:
    """A band of a difference, or an empty string if there is none.

    >>> interval(-30.4, 12)
    '-30 to +12'
    """
    return "" if low is None or high is None else f"{signed(low, digits)} to {signed(high, digits)}"


def banded(value: float, low: float | None, high: float | None, digits: int = 0) -> str:
    """A difference with its band, if there is one.

    >>> banded(-9.2, -30.4, 12), banded(0.2, None, None, 1)
    ('-9 (-30 to +12)', '+0.2')
    """
    band = interval(low, high, digits)
    return signed(value, digits) + (f" ({band})" if band else "")


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Words as a sentence lists them.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(["a", "b"], "or")
    ('a', 'a, b and c', 'a or b')
    """
    return f" {joint} ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def horizon_averages(weekly: pl.DataFrame) -> pl.DataFrame:
    """Each column's mean over the weeks, by outcome: exact for levels and differences, a little wide for their bands."""
    return weekly.group_by("outcome", "unit", maintain_order=True).agg(pl.exclude("week").mean())


def compared(frame: pl.DataFrame, name: str, week: int | None = None) -> Compared:
    """Both arms of one outcome: in one week of a weekly frame, or of a frame of averages."""
    rows = frame.filter(pl.col("outcome") == name)
    if week is not None:
        rows = rows.filter(pl.col("week") == week)
    return Compared(name, *rows.select("baseline", "scenario", "difference", "difference_low", "difference_high").row(0))


def demand_change_percent(weekly: pl.DataFrame, averages: pl.DataFrame | None = None) -> float | None:
    """Difference in mean opioid demand over the horizon as a percentage of the baseline's; None if the baseline has no demand."""
    demand = compared(_averages(weekly, averages), "mme_per_1000")
    return 100.0 * demand.difference / demand.baseline if demand.baseline > 0.0 else None


def headline(weekly: pl.DataFrame, averages: pl.DataFrame | None = None) -> str:
    """The finding as a chart's title: means over the horizon of demand, pain and function, in at most 90 characters.

    Where mean pain shows no clear change but one week is clearly worse, that week is said instead.
    """
    means = _averages(weekly, averages)
    demand, pain, function = (compared(means, name) for name in ("mme_per_1000", "pain", "function"))
    when = f"Over {horizon_words(_horizon(weekly))}"
    if demand.same and pain.same and function.same:
        return f"{when}: opioid demand, pain and function as in the baseline"
    clear, unclear = [], []
    for one, label in ((demand, "opioid demand"), (pain, "pain"), (function, "function")):
        most = _largest_difference(weekly, "pain")[1]
        side = "higher" if one.direction > 0 else "lower"
        if one is demand and one.direction and one.baseline > 0.0:
            clear.append(f"{label} {_percent(one.difference / one.baseline)} {side}")
        elif one.direction:
            clear.append(f"{label} {plain(abs(one.difference), one.digits)} {side}")
        elif one is pain and most.leaning > 0:
            clear.append(f"pain up to {plain(most.difference, most.digits)} higher")
        else:
            unclear.append(label)
    missing = [f"no {'clear ' if demand.low is not None else ''}change in {listed(unclear, 'or')}"] if unclear else []
    said = ", ".join(missing + clear if demand.direction == 0 else clear + missing)
    text = f"{when}: {said}" + (" (one run)" if demand.low is None else "")
    for long, short in (("opioid demand", "demand"), (" (one run)", "")):
        text = text.replace(long, short) if len(text) > _LONGEST_HEADLINE else text
    return text


def summary(
    weekly: pl.DataFrame, title: str, weeks: int, level: float, averages: pl.DataFrame | None = None, *, kind: str = "other"
) -> str:
    """Say what a projection shows in a few sentences.

    Parameters
    ----------
    weekly, averages
        See the module.
    title
        The scenario's title.
    weeks
        Horizon.
    level
        Share of the parameter draws that the bands hold.
    kind
        Where the draws come from: `posterior`, `prior`, or `other`, of which nothing is said.
    """
    means = _averages(weekly, averages)
    demand = compared(means, "mme_per_1000")
    is_open = "mme_total" in means["outcome"].to_list()
    start = f"{title}, {'for every 1,000 patients in care' if is_open else 'in 1,000 such patients'} over {horizon_words(weeks)}"
    said = [weeks // 2, weeks] if weeks > 1 else [weeks]
    beside = [(compared(weekly, "pain", week), compared(weekly, "function", week)) for week in said]
    largest = [_largest_difference(weekly, name) for name in ("pain", "function")]
    every = [demand, *(one for pair in beside for one in pair), *(one for _, one in largest)]
    if all(one.same for one in every):
        pain, function = beside[-1]
        levels = f"In week {weeks} pain is {plain(pain.scenario, 1)} of 10 and function {plain(function.scenario)} of 100."
        return f"{start}: nothing differs from the baseline; {_demand_level(demand)}. {levels}"
    adds_up = "" if is_open or demand.direction == 0 else f"; that adds up to {_figures(7.0 * (weeks + 1) * abs(demand.difference))} MME"
    sentences = [f"{start}: {_demand_words(demand)}{adds_up}."]
    sentences += [f"In week {week} {_beside_words(*pair)}." for week, pair in zip(said, beside, strict=True)]
    week, most = largest[0]
    if most.direction and abs(most.difference) > 2.0 * max(abs(pain.difference) for pain, _ in beside):
        sentences.append(f"Pain differs most in week {week}: {_difference(most, 'lower', 'higher')}.")
    if is_open:
        sentences.append(_population(compared(means, "mme_total"), compared(means, "patients_in_care")))
    if verdict := _verdict(demand, every[1:], beside[-1]):
        sentences.append(verdict)
    if demand.low is None:
        sentences.append("This is one run with the central parameter values, without a band: nothing says how sure it is.")
    else:
        # Each draw has patients of its own (execution.cohorts), so that the band of their means holds chance, too.
        origin = _OF_DRAWS.get(kind, "")
        sentences.append(
            f'"Likely" means in {100 * level:.0f} % of the draws of the parameters{origin}; each draw has patients of its own.'
        )
    return " ".join(sentences)


def _demand_level(demand: Compared) -> str:
    if demand.baseline == 0.0 and demand.scenario == 0.0:
        return "no opioid is prescribed"
    return f"opioid demand averages {_figures(demand.scenario)} MME a day"


def _demand_words(demand: Compared) -> str:
    level = _demand_level(demand)
    if demand.same:
        return f"{level}, as in the baseline"
    if round(demand.difference, demand.digits) == 0.0:
        change = "no different from the baseline"
    else:
        percent = f" ({_percent(demand.difference / demand.baseline)})" if demand.baseline > 0.0 else ""
        change = f"{_figures(abs(demand.difference))}{percent} {'more' if demand.difference > 0.0 else 'less'} than in the baseline"
    unclear = demand.low is not None and demand.direction == 0
    cannot_tell = ", so that the model cannot tell whether demand falls or rises" if unclear else ""
    return f"{level}, {change}{_likely(demand, 'less', 'more')}{cannot_tell}"


def _beside_words(pain: Compared, function: Compared) -> str:
    levels = (f"pain is {plain(pain.scenario, 1)} of 10", f"function {plain(function.scenario)} of 100")
    if pain.same and function.same:
        return f"{levels[0]} and {levels[1]}, both as in the baseline"
    return f"{levels[0]}, {_difference(pain, 'lower', 'higher')}, and {levels[1]}, {_difference(function, 'lower', 'higher')}"


def _difference(one: Compared, below: str, above: str) -> str:
    """A difference from the baseline with its band, and whether it is clear."""
    if one.same:
        return "as in the baseline"
    if round(one.difference, one.digits) == 0.0:
        tiny = max(abs(one.low or 0.0), abs(one.high or 0.0)) < one.least_that_leans
        return f"{'hardly' if tiny else 'not clearly'} different{_likely(one, below, above)}"
    side = above if one.difference > 0.0 else below
    size = f"{_figures(abs(one.difference)) if one.digits == 0 else plain(abs(one.difference), one.digits)} {side}"
    return f"{size}{_likely(one, below, above, ', so not clear' if one.direction == 0 else '')}"


def _population(total: Compared, people: Compared) -> str:
    """A sentence on the stated population of an open cohort."""
    amount = f"Among the {_figures(people.scenario)} patients in care in the whole population that is {_figures(total.scenario)} MME a day"
    return f"{amount}, {_difference(total, 'less', 'more')}."


def _verdict(demand: Compared, beside: list[Compared], last: tuple[Compared, Compared]) -> str:
    """Say where demand and health part ways, or that they do not; an empty string where demand itself is not clear.

    beside: pain and function wherever they are looked at; last: both in the last week.
    """
    if demand.direction == 0:
        return ""
    wanted = {"pain": -1, "function": 1}
    moves = {name: {one.leaning * wanted[name] for one in beside if one.name == name} for name in wanted}
    worse = [name for name, seen in moves.items() if -1 in seen]
    better = [name for name, seen in moves.items() if 1 in seen and -1 not in seen]
    start = "Demand falls" if demand.direction < 0 else "Demand rises"
    moved = worse or better
    if not moved:
        return f"{start} without a clear change in pain or function."
    way = -1 if worse else 1
    if all(moves[name] == {way} for name in moved):
        when = ""
    elif all(one.leaning * wanted[one.name] == way for one in last if one.name in moved):
        when = " in the end"
    else:
        when = " for a time, hardly or not clearly in the end"  # a small difference may be clear
    said = f"{listed(moved)} {'are' if moved[1:] else 'is'} {'worse' if worse else 'better'}{when}."
    if worse and demand.direction < 0:
        return f"Less opioid is not by itself better health: demand falls, and {said}"
    return f"{start}, and {said}"


def _largest_difference(weekly: pl.DataFrame, name: str) -> tuple[int, Compared]:
    """The week in which an outcome differs most from the baseline."""
    rows = weekly.filter(pl.col("outcome") == name)
    week = int(rows["week"][rows["difference"].abs().arg_max() or 0])
    return week, compared(rows, name, week)


def _likely(one: Compared, below: str, above: str, remark: str = "") -> str:
    """The band in words, in parentheses; an empty string without one."""
    if one.low is None or one.high is None:
        return ""
    low, high = round(one.low, one.digits) + 0.0, round(one.high, one.digits) + 0.0
    small, large = (_figures(abs(end)) if one.digits == 0 else plain(abs(end), one.digits) for end in (low, high))
    if low < 0.0 < high:
        band = f"between {small} {below} and {large} {above}"
    elif low == high:
        band = f"{small} {above if low > 0.0 else below}" if low else "no different"
    else:
        band = f"{small} to {large} {above}" if low >= 0.0 else f"{large} to {small} {below}"
    return f" (likely {band}{remark})"


def _percent(share: float) -> str:
    size = abs(100.0 * share)
    return f"{size:.0f} %" if size >= 1.95 else f"{size:.1f} %" if size >= 0.05 else "under 0.1 %"


def _figures(value: float) -> str:
    """A whole number of at most three figures: what a mean over draws can bear."""
    return plain(round(value, min(0, 2 - math.floor(math.log10(abs(value))))) if abs(value) >= 1.0 else value)


def _averages(weekly: pl.DataFrame, averages: pl.DataFrame | None) -> pl.DataFrame:
    return horizon_averages(weekly) if averages is None else averages


def _horizon(weekly: pl.DataFrame) -> int:
    last: Any = weekly["week"].max()
    return int(last)
