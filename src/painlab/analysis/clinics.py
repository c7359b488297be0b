"""My clinic: records become a scenario's population and baseline, with every value's origin shown, and no value tuned."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import polars as pl

from painlab import catalog, narrative
from painlab.analysis.diagnoses import condition_of_codes
from painlab.analysis.episodes import MOST_ROWS, opioid_episodes
from painlab.analysis.fit import FEWEST_PEOPLE, Refused, Table, gather, numbers_of
from painlab.errors import InputError
from painlab.plan import CarePlan
from painlab.projection import Projection
from painlab.scenario import Scenario
from painlab.simulation import simulate
from painlab.tables import nearest

RECENT: Final = 13
"""Weeks at the end of the records that count as now (assumption: a quarter evens out months and holidays)."""
LONG_TERM: Final = 90
"""Days without a break beyond which opioid therapy is called long-term, as the model's outcome of that name has it."""
FEWEST_WEEKS: Final = 26
"""Weeks of records that are needed, so that long-term therapy can be seen (assumption)."""
RUN_IN: Final = 8
"""First weeks that are left out of observed demand: what was dispensed before the records begin is missing there (assumption)."""
CLOSE: Final = 10.0
"""Percent within which the model's level is said to be near the clinic's (assumption)."""

_WHERE: Final = "clinic"
_ASSUMED: Final = "assumption"


class _Row(NamedTuple):
    what: str
    value: str
    source: str


class _Now(NamedTuple):
    """What the records say of the last weeks: the window, long-term patients, their dose, their weeks, and whether these are cut off."""

    first: date
    last: date
    stated: bool
    long_term: int
    dose: float | None
    weeks_on: float | None
    cut_off: float


@dataclass(frozen=True)
class Clinic:
    """A clinic as a scenario.

    scenario: its population and baseline are the clinic's, as far as the records say. mapping: what, value, source ("assumption", or from
    what in the data). observed: demand by week, as `painlab.records.demand` gives it, within what the records cover, after a run-in of 8
    weeks. recent: first and last of the weeks that count as now. patients: people in care. pain: mean of recent scores, or None.
    """

    scenario: Scenario
    mapping: pl.DataFrame
    observed: pl.DataFrame = field(repr=False)
    recent: tuple[date, date]
    patients: int
    pain: float | None = None

    @property
    def demand_now(self) -> float:
        """Mean opioid demand of the recent weeks, MME/day per 1,000 patients in care."""
        return float(self._now()["mme_per_1000"].mean())  # type: ignore[arg-type]

    @property
    def on_opioids_now(self) -> float:
        """Mean share of patients on opioids in the recent weeks, %."""
        return float(self._now()["on_opioids"].mean())  # type: ignore[arg-type]

    def _now(self) -> pl.DataFrame:
        return self.observed.filter(pl.col("week").is_between(*self.recent))

    def agreement(self, projection: Projection | None = None, *, patients: int = 1000, draws: int = 40, seed: int = 1) -> str:
        """How the model's baseline compares with what was observed, in words: the gap is said, nothing is tuned.

        The mean of the baseline's first 13 weeks is held against the mean of the records' last 13. Without a projection one is run.
        Raises InputError for a projection of other people.
        """
        if projection is None:
            projection = simulate(self.scenario, patients=patients, draws=draws, seed=seed)
        if projection.scenario.population != self.scenario.population:
            raise InputError("the projection is of other people than this clinic's", where=_WHERE, mend="Simulate this clinic's scenario.")
        week = min(RECENT - 1, projection.weeks)
        said = [f"Observed from {self.recent[0]} to {self.recent[1] + timedelta(days=6)}, for each 1,000 patients in care:"]
        gaps = []
        for name, seen, unit, digits in (
            ("mme_per_1000", self.demand_now, "MME a day", 0),
            ("on_opioids", self.on_opioids_now, "% on opioids", 1),
            *((("pain", self.pain, "points of pain", 1),) if self.pain is not None else ()),
        ):
            rows = projection.outcome(name).filter(pl.col("week") <= week)
            mean, low, high = (rows[f"baseline{end}"].mean() for end in ("", "_low", "_high"))
            assert isinstance(mean, float)
            shown = narrative.plain(mean, digits)
            if isinstance(low, float) and isinstance(high, float):
                shown += f" ({narrative.plain(low, digits)} to {narrative.plain(high, digits)})"
            gap = 100.0 * (mean / seen - 1.0) if seen > 0.0 else float("nan")
            gaps.append(gap)
            said.append(f"{narrative.plain(seen, digits)} {unit}; the model's baseline has {shown}, {_way(gap)}.")
        if self.pain is None:
            said.append("Pain was not in the data: its level is the condition's own. Function never is: it is the model's.")
        if all(abs(gap) <= CLOSE for gap in gaps):  # a level that cannot be compared counts as far
            said.append(f"The levels are near each other (within {CLOSE:.0f} %, assumption); nothing was tuned to make them so.")
        else:
            said.append(
                f"A level is off by more than {CLOSE:.0f} % (assumption), and nothing was tuned: do not read the model's levels as your "
                "clinic's. Differences between plans are safer, in percent rather than in MME; the mapping shows what was assumed."
            )
            if gaps[1] > CLOSE and self.scenario.population.arrivals is None:
                said.append(
                    "One likely reason: in the model everyone is seen anew in week 0, and more begin an opioid then than in a clinic whose "
                    "patients are at every stage. State your new patients, or in the baseline how readily opioids are begun at your clinic."
                )
        return " ".join(said)

    def __str__(self) -> str:
        assumed = self.mapping.filter(pl.col("source").str.starts_with(_ASSUMED)).height
        score = "" if self.pain is None else f" and mean pain was {self.pain:.1f}"
        return (
            f"{self.scenario.title}: {self.patients:,} patients in care. From {self.recent[0]} to {self.recent[1] + timedelta(days=6)} "
            f"demand was {narrative.plain(self.demand_now)} MME/day for each 1,000 of them, {self.on_opioids_now:.1f} % were on "
            f"opioids{score}. Of {self.mapping.height} entries in the mapping {assumed} are assumptions; the others come from the data "
            "or from you."
        )


def clinic(
    records: Table,
    *,
    patients: int,
    condition: str | None = None,
    diagnoses: Table | None = None,
    pain: Table | None = None,
    persons: Table | None = None,
    new_patients_per_year: float | None = None,
    care: str | CarePlan = "early-pt",
    baseline: str | CarePlan = "usual-care",
    until: date | None = None,
    factors: str = "CDC 2022",
    weeks: int = 104,
    name: str = "my-clinic",
    title: str = "My clinic",
) -> Clinic:
    """Make a scenario of a clinic's records.

    The people of the model are the clinic's patients with pain. Without `new_patients_per_year` they are those in care today, followed from
    week 0 as a closed cohort; with it they come and go, and each stays for as long as patients in care over new patients (Little's law).

    Parameters
    ----------
    records
        Fills (as `painlab.records.read` gives them) or weekly MME (`painlab.records.weekly_mme`).
    patients
        People in care with pain, those without an opioid too: fills do not know them. All shares are of these.
    condition
        One of the model's conditions; if left out, the one that most people in `diagnoses` (person, code in ICD-10-CM) have.
    pain
        Pain scores (person, pain 0-10, and date if there is one): each person's last counts. The condition's own without it.
    persons
        People with their `age` in years. The condition's own age without it.
    new_patients_per_year
        New patients with pain in a year, of the whole clinic.
    care, baseline
        Names of scenarios whose care is meant, or care plans: the plan that is asked about, and what is done now.
    until
        Last day that the records cover; if left out, the last fill's, or for weekly MME the last week in which anyone's dose rose.

    Raises
    ------
    Refused
        Under 26 weeks of records, nobody on opioids in them, or no known diagnosis.
    InputError
        For more people with opioids than patients, an unknown condition, a pain score outside 0-10, and what `Scenario` refuses.

    >>> from painlab.analysis.clinics import clinic
    >>> weeks = [date(2024, 1, 1) + timedelta(weeks=n) for n in range(40)]
    >>> weekly = pl.DataFrame({"person": ["a"] * 40 + ["b"] * 40, "week": weeks * 2, "mme": [30.0] * 40 + [50.0] * 40})
    >>> ours = clinic(weekly, patients=20, condition="knee_osteoarthritis", until=date(2024, 10, 6))
    >>> ours.scenario.population.on_opioids, ours.scenario.population.opioid_dose, ours.demand_now
    (0.1, 40.0, 4000.0)
    """
    if isinstance(patients, bool) or not isinstance(patients, int) or patients < 1:
        raise InputError(f"patients is {patients!r}", where=_WHERE, expected="how many people with pain are in care, a whole number from 1")
    weekly, until, stated = _weekly(records, until, factors)
    observed = _observed(weekly, patients, until)
    now = _now(weekly, observed, until, stated)
    named, rows = _condition(condition, diagnoses)
    population: dict[str, Any] = {"condition": named}
    of_opioids, told = _of_opioids(now, patients)
    population |= of_opioids
    rows += told
    scores, told = _pain(pain, named)
    population |= scores
    rows += told
    aged, told = _age(persons, named)
    population |= aged
    rows += told
    arrivals, told = _arrivals(new_patients_per_year, patients)
    population |= arrivals
    rows += told
    plan, plan_words = _plan(care, "care")
    before, before_words = _plan(baseline, "baseline")
    rows += [
        _Row("the plan that is asked about", plan_words, "chosen by you"),
        _Row("what is done now", before_words, f"{_ASSUMED}: say if yours differs"),
    ]
    rows.append(_Row("distress, sleep, work, comorbidity, adherence, goals", "the model's", _ASSUMED))
    scenario = Scenario.from_dict(
        {
            "name": name,
            "title": title,
            "question": f"What would {plan_words} do to this clinic's opioid demand, pain and function?",
            "weeks": weeks,
            "population": population,
            "baseline": baseline if isinstance(baseline, str) else before,
            "care": plan,
        },
        where=_WHERE,
    )
    return Clinic(
        scenario=scenario,
        mapping=pl.DataFrame(rows, {"what": pl.String, "value": pl.String, "source": pl.String}, orient="row"),
        observed=observed,
        recent=(now.first, now.last),
        patients=patients,
        pain=scores.get("pain"),
    )


def _weekly(records: Table, until: date | None, factors: str) -> tuple[pl.DataFrame, date | None, bool]:
    """Weekly MME, the last day covered if it is known, and whether the user said so."""
    there = records.lazy().collect_schema()
    if "days_supply" in there:
        from painlab.records import weekly_mme

        fills = records.lazy()
        usable = fills.filter(pl.col("usable")) if "usable" in there else fills
        last = usable.select(pl.col("date").max()).collect().item()
        if last is None:
            raise Refused("no fill can be counted", where=_WHERE, mend="Print painlab.records.coverage(fills): it says why.")
        frame, _ = gather(weekly_mme(fills, factors), ["person", "week", "mme"], _WHERE, MOST_ROWS)
        return frame.filter(pl.col("mme") > 0.0), until or last, until is not None
    frame, _ = gather(records, ["person", "week", "mme"], _WHERE, MOST_ROWS)
    return frame.filter(pl.col("mme") > 0.0), until, until is not None


def _observed(weekly: pl.DataFrame, patients: int, until: date | None) -> pl.DataFrame:
    """Demand by whole week that the records cover, from the first in which anyone had an opioid."""
    from painlab.records import demand

    if weekly.is_empty():
        raise Refused("nobody was on opioids", where=_WHERE, expected="records with at least one opioid")
    if until is None:
        before = pl.col("mme").shift(1).over("person", order_by="week")
        rose = weekly.filter(pl.col("mme") > before.fill_null(0.0) + 1e-9)
        until = rose["week"].max() + timedelta(days=6)  # type: ignore[operator, assignment]
    assert isinstance(until, date)
    found = demand(weekly, patients).filter(pl.col("week") <= until - timedelta(days=6))
    if found.height < FEWEST_WEEKS:
        raise Refused(
            f"the records cover {found.height} whole weeks",
            where=_WHERE,
            expected=f"{FEWEST_WEEKS} or more (assumption), so that therapy of {LONG_TERM} days can be seen",
            mend="Take longer records, or say until which day they go (until).",
        )
    return found[RUN_IN:]


def _now(weekly: pl.DataFrame, observed: pl.DataFrame, until: date | None, stated: bool) -> _Now:
    """Who is on long-term therapy at the end of the records, at which dose, and since when."""
    last: date = observed["week"][-1]
    first: date = observed["week"][-RECENT]
    seen = weekly.filter(pl.col("week") <= last)
    end = last + timedelta(days=6)
    spells = opioid_episodes(seen, last=end).filter(~pl.col("ended") & (pl.col("days") >= LONG_TERM))
    if spells.is_empty():
        return _Now(first, last, stated, 0, None, None, 0.0)
    recent = seen.filter(pl.col("week") >= first).join(spells.select("person"), on="person", how="semi")
    doses = recent.group_by("person").agg(pl.col("mme").mean())["mme"]
    days, begun = spells["days"].cast(pl.Float64).median(), spells["began_before"].cast(pl.Float64).mean()
    dose = doses.median()
    assert isinstance(days, float) and isinstance(begun, float) and isinstance(dose, float)
    return _Now(first, last, stated, spells.height, dose, days / 7.0, begun)


def _condition(condition: str | None, diagnoses: Table | None) -> tuple[str, list[_Row]]:
    known = catalog.conditions()
    if condition is not None:
        if condition not in known:
            problem = f'unknown condition "{condition}"{nearest(condition, known)}'
            raise InputError(problem, where=_WHERE, expected=f"one of {', '.join(known)}")
        return condition, [_Row("condition", catalog.labels("conditions")[condition], "chosen by you")]
    if diagnoses is None:
        raise InputError("no condition is stated", where=_WHERE, expected=f"one of {', '.join(known)}, or diagnoses with ICD-10 codes")
    found = condition_of_codes(diagnoses)
    source = f"diagnoses: {100 * found.share:.0f} % of {found.people:,} people with a known code; the others are taken to be like them"
    source += f"; {found.unknown:,} people have no known code" if found.unknown else ""
    return found.condition, [_Row("condition", catalog.labels("conditions")[found.condition], source)]


def _of_opioids(now: _Now, patients: int) -> tuple[dict[str, float | int], list[_Row]]:
    when = f"in an episode of {LONG_TERM} days or more that goes on at the end of the records ({now.last + timedelta(days=6)}"
    when += ", as you said)" if now.stated else ")"
    share = now.long_term / patients
    rows = [_Row("on long-term opioids at the start", f"{100 * share:.1f} %", f"records: {now.long_term} people {when}, of {patients:,}")]
    if now.dose is None or now.weeks_on is None:
        return {"on_opioids": 0.0}, rows
    dose, weeks_on = min(max(now.dose, 5.0), 200.0), min(max(round(now.weeks_on), 13), 1000)
    cut = "" if dose == now.dose else f"; the records have {now.dose:.0f}, beyond what the model takes (5 to 200)"
    rows.append(
        _Row("their dose", f"{dose:.0f} MME/day", f"records: median over these people of their mean in the last {RECENT} weeks{cut}")
    )
    source = "records: median of their weeks in the episode"
    if now.cut_off > 0.0:
        source += f"; at least, since {100 * now.cut_off:.0f} % were on opioids when the records begin"
    rows.append(_Row("their weeks on opioids", f"{weeks_on} weeks", source))
    return {"on_opioids": round(share, 4), "opioid_dose": round(dose, 1), "opioid_weeks": weeks_on}, rows


def _pain(pain: Table | None, condition: str) -> tuple[dict[str, float], list[_Row]]:
    own = catalog.conditions()[condition]
    assumed = _Row("pain", f"{own.pain:g} (spread {own.pain_sd:g})", f"{_ASSUMED}: the condition's own, data/conditions.toml")
    if pain is None:
        return {}, [assumed]
    dated = "date" in pain.lazy().collect_schema()
    frame, _ = gather(pain, ["person", "pain", *(["date"] if dated else [])], _WHERE)
    scores = numbers_of(frame, "pain", _WHERE)
    if scores.min() < 0.0 or scores.max() > 10.0:
        problem = f"a pain score is {scores.min() if scores.min() < 0 else scores.max():g}"
        raise InputError(problem, where=_WHERE, expected="0 to 10", mend="Bring the scores to that scale.")
    last = (frame.sort("date") if dated else frame).unique("person", keep="last", maintain_order=True)["pain"].cast(pl.Float64)
    if len(last) < FEWEST_PEOPLE:
        return {}, [assumed._replace(source=f"{assumed.source}; {len(last)} people with a score are too few")]
    mean, spread = last.mean(), last.std()
    assert isinstance(mean, float) and isinstance(spread, float)
    values = {"pain": round(mean, 2), "pain_sd": round(min(max(spread, 0.1), 5.0), 2)}
    source = f"pain scores: the last of each of {len(last):,} people; whoever has none is taken to be like them"
    return values, [_Row("pain", f"{values['pain']:g} (spread {values['pain_sd']:g})", source)]


def _age(persons: Table | None, condition: str) -> tuple[dict[str, float], list[_Row]]:
    assumed = _Row("age", f"{catalog.conditions()[condition].age:g} years", f"{_ASSUMED}: the condition's own, data/conditions.toml")
    if persons is None:
        return {}, [assumed]
    frame, _ = gather(persons, ["age"], _WHERE)
    ages = numbers_of(frame, "age", _WHERE)
    if ages.min() < 0.0 or ages.max() > 120.0:
        raise InputError("an age is below 0 or above 120", where=_WHERE, expected="ages in years", mend="Run painlab doctor on the file.")
    mean = float(ages.mean())
    age = round(min(max(mean, 18.0), 95.0), 1)
    return {"age": age}, [_Row("age", f"{age:g} years", f"persons: mean of {len(ages):,}")]


def _arrivals(new: float | None, patients: int) -> tuple[dict[str, Any], list[_Row]]:
    if new is None:
        return {}, [_Row("who comes and goes", "nobody: those in care today are followed", f"{_ASSUMED}: no new patients were stated")]
    if isinstance(new, bool) or not 0.0 < new <= 1e7:
        raise InputError(f"new_patients_per_year is {new}", where=_WHERE, expected="a number above 0 and up to 10 million")
    people = max(1000, 10 * patients, 1000 * -(-int(new) // 500))
    rate = min(max(1000.0 * new / people, 0.1), 500.0)
    stay = min(max(round(52.0 * patients / new), 4), 260)
    told = [
        _Row("new patients", f"{new:g} a year", f"stated by you; written as {rate:g} for each 1,000 of {people:,} people"),
        _Row("weeks in care", f"{stay} weeks", "patients in care over new patients (Little's law), within 4 to 260"),
        _Row("newcomers on long-term opioids", "as those in care today", f"{_ASSUMED}: the records do not show who came with them"),
    ]
    return {"arrivals": {"people": people, "new_patients_per_1000_per_year": rate, "follow_up_weeks": stay}}, told


def _way(gap: float) -> str:
    if gap != gap:
        return "not comparable"
    return "the same" if round(gap) == 0 else f"{abs(gap):.0f} % {'lower' if gap < 0.0 else 'higher'}"


def _plan(plan: str | CarePlan, what: str) -> tuple[dict[str, Any], str]:
    if isinstance(plan, CarePlan):
        return plan.as_dict(), "a plan of your own"
    if isinstance(plan, str):
        one = Scenario.load(plan)
        return one.care.as_dict(), f"the care of {one.name}"
    raise InputError(f"{what} is a {type(plan).__name__}", where=_WHERE, expected="the name of a scenario, or a care plan")
