"""Numbers to plain sentences, once, for the terminal, the explorer, the lessons and the slides.

Functions of the weekly frame alone (columns of `Projection.weekly`). `averages` is the frame of the same columns without `week`
(`Projection.averages`): means over the horizon whose bands come from the draws. Without it the weekly bands are averaged, which gives
bands that are a little too wide. Opioid demand never stands alone: pain and function are said in the same breath.
"""

import math
from typing import Any, Final, NamedTuple

import polars as pl

from painlab.outcomes import BY_NAME

_COUNTED: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WEEKS_PER_YEAR: Final = 52
_BESIDE_DEMAND: Final = ("pain", "function")


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
    """The finding as a chart's title: means over the horizon of demand, pain and function, in at most 90 characters."""
    means = _averages(weekly, averages)
    three = [compared(means, name) for name in ("mme_per_1000", *_BESIDE_DEMAND)]
    when = f"Over {horizon_words(_horizon(weekly))}"
    labels = dict(zip((one.name for one in three), ("opioid demand", "pain", "function"), strict=True))
    if all(one.same for one in three):
        return f"{when}: opioid demand, pain and function as in the baseline"
    banded = three[0].low is not None
    unclear = [labels[one.name] for one in three if one.direction == 0]
    clear = [f"{labels[one.name]} {_headline_change(one, weekly, averages)}" for one in three if one.direction != 0]
    missing = f"no {'clear ' if banded else ''}change in {_listed(unclear, 'or')}"
    said = ([missing] if unclear else []) + clear if three[0].direction == 0 else clear + ([missing] if unclear else [])
    return f"{when}: {', '.join(said)}" + ("" if banded else " (one run)")


def _headline_change(one: Compared, weekly: pl.DataFrame, averages: pl.DataFrame | None) -> str:
    side = "higher" if one.direction > 0 else "lower"
    percent = demand_change_percent(weekly, averages) if one.name == "mme_per_1000" else None
    if percent is not None:
        size = abs(percent)
        return f"{size:.0f} % {side}" if size >= 0.95 else f"{max(size, 0.1):.1f} % {side}"
    return f"{plain(abs(one.difference), one.digits)} {side}"


def summary(weekly: pl.DataFrame, title: str, weeks: int, level: float, averages: pl.DataFrame | None = None) -> str:
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
    """
    means = _averages(weekly, averages)
    demand = compared(means, "mme_per_1000")
    middle = weeks // 2
    weeks_said = [week for week in (middle, weeks) if week > 0] if middle != weeks else [weeks]
    beside = {(name, week): compared(weekly, name, week) for week in weeks_said for name in _BESIDE_DEMAND}
    sentences = [f"{title}, in 1,000 such patients over {horizon_words(weeks)}: {_demand_words(demand)}."]
    sentences += [f"In week {week} {_beside_words(beside['pain', week], beside['function', week])}." for week in weeks_said]
    sentences += _largest_difference(weekly, "pain", weeks_said)
    sentences += _population(means)
    sentences.append(_verdict(demand, list(beside.values())))
    if demand.low is None:
        sentences.append("This is one run with the central parameter values: without draws there is no band, and nothing says how sure it is.")
    else:
        sentences.append(
            f'"Likely" is the band that holds {100 * level:.0f} % of the parameter draws; they come from the prior, which is not yet '
            "calibrated to trials."
        )
    return " ".join(one for one in sentences if one)


def _demand_words(one: Compared) -> str:
    level = f"opioid demand averages {_rounded(one.scenario)} MME a day"
    if one.baseline == 0.0 and one.scenario == 0.0:
        return "no opioid is prescribed, in the baseline or here"
    if one.same:
        return f"{level}, as in the baseline"
    change = _amount(one.difference, one.digits, "less", "more")
    percent = f" or {_percent(one.difference / one.baseline)}" if one.baseline > 0.0 and round(one.difference, one.digits) else ""
    text = f"{level}, {change}{percent} {'from' if change.startswith('no') else 'than in'} the baseline{_likely(one, 'less', 'more')}"
    total = 7.0 * one.difference
    if one.direction == 0 and one.low is not None:
        return f"{text}, so that the model cannot tell whether demand falls or rises"
    return f"{text}, which is {_rounded(abs(total))} MME a week" if abs(total) >= 1.0 else text


def _beside_words(pain: Compared, function: Compared) -> str:
    return (
        f"pain is {plain(pain.scenario, 1)} of 10, {_against_baseline(pain)}, "
        f"and function {plain(function.scenario)} of 100, {_against_baseline(function)}"
    )


def _against_baseline(one: Compared) -> str:
    if one.same:
        return "as in the baseline"
    unclear = ": no clear change" if one.low is not None and one.direction == 0 else ""
    change = _amount(one.difference, one.digits, "lower", "higher")
    return f"{change}{_likely(one, 'lower', 'higher')}{unclear}"


def _largest_difference(weekly: pl.DataFrame, name: str, said: list[int]) -> list[str]:
    """A sentence on the week that differs most, if the weeks already said hide more than half of it."""
    rows = weekly.filter(pl.col("outcome") == name)
    most = compared(rows, name, int(rows["week"][rows["difference"].abs().arg_max() or 0]))
    shown = max(abs(compared(rows, name, week).difference) for week in said)
    if most.direction == 0 or abs(most.difference) <= 2.0 * shown:
        return []
    week = int(rows["week"][rows["difference"].abs().arg_max() or 0])
    change = _amount(most.difference, most.digits, "lower", "higher")
    return [f"{BY_NAME[name].label} differs most in week {week}: {change}{_likely(most, 'lower', 'higher')}."]


def _population(means: pl.DataFrame) -> list[str]:
    """A sentence on the stated population of an open cohort."""
    if "mme_total" not in means["outcome"].to_list():
        return []
    total, people = compared(means, "mme_total"), compared(means, "patients_in_care")
    same = ", as in the baseline" if total.same else f", {_amount(total.difference, 0, 'less', 'more')}{_likely(total, 'less', 'more')}"
    return [f"Among the {_rounded(people.scenario)} patients in care in the whole population that is {_rounded(total.scenario)} MME a day{same}."]


def _verdict(demand: Compared, beside: list[Compared]) -> str:
    """Say where demand and health part ways, or that they do not."""
    if demand.same and all(one.same for one in beside):
        return "Nothing differs from the baseline."
    wanted = {"pain": -1, "function": 1}
    worse = _listed([one.name for one in _by_name(beside) if any(b.direction == -wanted[b.name] for b in beside if b.name == one.name)], "and")
    better = _listed([one.name for one in _by_name(beside) if any(b.direction == wanted[b.name] for b in beside if b.name == one.name)], "and")
    many = " and " in worse
    if demand.direction < 0 and worse:
        return f"Less opioid is not by itself better health: demand falls, yet {worse} {'are' if many else 'is'} worse in at least one of these weeks."
    if demand.direction > 0 and better and not worse:
        return f"Demand rises while {better} improve{'' if ' and ' in better else 's'}."
    if demand.direction > 0 and worse:
        return f"Demand rises, and {worse} {'get' if many else 'gets'} worse."
    if demand.direction < 0 and better:
        return f"Demand falls and {better} improve{'' if ' and ' in better else 's'}."
    if demand.direction < 0:
        return "Demand falls without a clear change in pain or function."
    return ""


def _by_name(beside: list[Compared]) -> list[Compared]:
    return list({one.name: one for one in beside}.values())


def _likely(one: Compared, below: str, above: str) -> str:
    if one.low is None or one.high is None:
        return ""
    low, high = round(one.low, one.digits), round(one.high, one.digits)
    figures = (plain(abs(low), one.digits), plain(abs(high), one.digits))
    if low == high:
        return f" (likely {_amount(low, one.digits, below, above)})"
    if low >= 0.0 or high <= 0.0:
        side = above if low >= 0.0 else below
        small, large = figures if low >= 0.0 else figures[::-1]
        return f" (likely {small} to {large} {side})"
    return f" (likely between {figures[0]} {below} and {figures[1]} {above})"


def _amount(difference: float, digits: int, below: str, above: str) -> str:
    rounded = round(difference, digits)
    return "no different" if rounded == 0.0 else f"{plain(abs(rounded), digits)} {above if rounded > 0.0 else below}"


def _percent(share: float) -> str:
    size = abs(100.0 * share)
    return f"{size:.0f} %" if size >= 9.5 else f"{size:.1f} %" if size >= 0.05 else "less than 0.1 %"


def _rounded(value: float) -> str:
    """Three figures, no decimals from 10 on: what a mean over draws can bear."""
    if abs(value) < 10.0:
        return plain(value, 1)
    return plain(round(value, 2 - math.floor(math.log10(abs(value)))) if abs(value) >= 1000.0 else value)


def _listed(words: list[str], joint: str) -> str:
    return f" {joint} ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _averages(weekly: pl.DataFrame, averages: pl.DataFrame | None) -> pl.DataFrame:
    return horizon_averages(weekly) if averages is None else averages


def _horizon(weekly: pl.DataFrame) -> int:
    last: Any = weekly["week"].max()
    return int(last)
