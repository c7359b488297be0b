"""The first pages of a talk: the question, the cycle as a picture, who the patients are, and what changes in care."""

from typing import Final

from painlab import catalog, evidence, identification
from painlab.narrative import listed, plain
from painlab.outcomes import spoken_unit
from painlab.phrases import plan_difference, plan_words
from painlab.plan import levers
from painlab.population import Population
from painlab.projection import Projection
from painlab.tables import data_folder, read_toml
from painlab.talk.brief import BESIDE, Brief, mean, trace, traces, widest
from painlab.talk.cycle_picture import changed, picture
from painlab.talk.drawings import both
from painlab.talk.origin import caption, evidence_date
from painlab.talk.story import Page, Said, Table
from painlab.talk.voice import VOICES

LONG: Final = frozenset({15, 40})
_CONTESTED: Final = ("T09-16", "T09-15", "T09-19", "T09-08")
_TRAITS: Final = (
    "pain", "pain_sd", "weeks_before", "age", "on_opioids", "opioid_dose", "opioid_weeks", "distress", "poor_sleep", "work_demand",
    "comorbidity", "prior_treatment", "adherence", "diagnosed", "rest_weeks",
)  # fmt: skip
_MOST_ROWS: Final = {15: 8, 40: 12}
_ACTS: Final = {
    "opioids": "opioid prescribing",
    "injections": "injections or other care",
    "therapy": "physical therapy",
    "coordination": "coordination",
}


def labels(brief: Brief) -> tuple[str, str]:
    """What the baseline and the plan are called in figures."""
    baseline = brief.scenario.baseline
    return (baseline.replace("-", " ") if isinstance(baseline, str) and baseline != brief.scenario.name else "baseline", "this plan")


def title_page(brief: Brief, title: str) -> Page:
    """What the talk is called, the finding in a line, and what made it."""
    finding = Said(brief.lead.headline() + ".", headline_trace(brief.lead))
    origin = Said(
        f"A model's answer, by PainLab {brief.lead.provenance['painlab']} and the evidence of {evidence_date()}. "
        "Not advice for any patient.",
        "provenance:painlab; provenance:evidence_date",
    )
    notes = (
        "Say: this is a model of invented patients. It holds two plans of care against each other on the same patients and the same luck.\n"
        "Say at once what it found, also where it found nothing.\n"
        "You will be asked: is this real data? No. Each number in it comes from a published study or is marked as an assumption."
    )
    return Page("title", "title", title, (finding, origin), notes=notes, title_trace="provenance:title")


def headline_trace(projection: Projection, run: int = 1) -> str:
    """Where the figures of a run's headline stand."""
    percent = ("percent",) if mean(projection, "mme_per_1000").baseline > 0.0 else ()
    parts = [trace(name, "horizon", "difference", *(percent if name == "mme_per_1000" else ()), run=run) for name in BESIDE]
    week = trace("pain", f"week {widest(projection, 'pain')}", "difference", run=run)
    return traces("run:weeks" if run == 1 else f"run {run}:weeks", *parts, week)


def question_page(brief: Brief) -> Page:
    """The scenario's question, how it is answered, and what is counted."""
    voice = VOICES[brief.audience]
    scenario = brief.scenario
    who = catalog.labels("conditions")[scenario.population.condition].lower()
    named = labels(brief)[0]
    baseline = "the baseline (the care it is compared with)" if named == "baseline" else f"{named} (the baseline)"
    against = "the same care (the baseline)" if brief.same_care else baseline
    said = [
        Said(scenario.question, "scenario:question"),
        Said(
            f"Two plans for the same invented patients with {who}, week by week {brief.when}: this plan against {against}.",
            "scenario:population/condition; run:weeks",
        ),
        Said(voice.what_is_counted),
        Said("Pain and function always stand beside it: less opioid is not by itself better health."),
    ]
    if len(brief.projections) > 1:
        others = [one.scenario.title for one in brief.projections[1:]]
        where = "; ".join(f"run {number}:title" for number in range(2, len(others) + 2))
        said.append(Said(f"Beside it: {listed(others)}.", where))
    if brief.minutes == 5:
        said.insert(1, Said(plan_difference(scenario.care, scenario.baseline_plan()), "scenario:care"))
    if brief.lead.draws > 1:
        said.append(Said(voice.what_is_the_band.format(level=f"{100 * brief.lead.level:.0f}"), "run:level"))
    notes = (
        "Say the question in your own words, and why it matters here.\n"
        "Say: both plans meet the same patients and the same chance, so the difference comes from the plan.\n"
        "You will be asked: why not just count our own patients? Do: `painlab.records` reads a clinic's own fills. A count says what "
        "happened, not what would have happened under another plan."
    )
    return Page("question", "words", "The question", tuple(said), notes=notes)


def cycle_page(brief: Brief) -> Page:
    """The cycle as a picture, where care acts, and how strong it is in these patients."""
    stage = brief.stage("cycle")
    scenario = brief.asked
    sets = identification.sets(brief.kind, max(2, brief.draws))
    rows = identification.cycle_gain(scenario, sets)
    brief.keep("cycle", [(row["part"], row["median"], row["low"], row["high"]) for row in rows.iter_rows(named=True)])
    stage(1, 1)
    found = {row["part"]: row for row in rows.iter_rows(named=True)}
    whole, most = found["whole"], found["most"]
    kinds = changed(brief.scenario.care, brief.scenario.baseline_plan())
    acts = listed([_ACTS[name] for name in kinds])
    strength = Said(
        f"In the typical patient here, one more point of pain brings back {plain(whole['median'], 2)} points by way of the cycle "
        f"({plain(whole['low'], 2)} to {plain(whole['high'], 2)}); at the pain where it is strongest, {plain(most['median'], 2)} "
        f"({plain(most['low'], 2)} to {plain(most['high'], 2)}).",
        "analysis:cycle/whole; analysis:cycle/most; assumption:the size of the link from weakness to pain",
    )
    said = [
        Said("Pain lowers movement, less movement weakens, and weakness may bring pain: a hypothesis, not a fact.", "evidence:T09-15"),
        Said("How strong the cycle is, is contested: the last link may be zero, and the model lets it be.", "parameter:weakness_pain"),
        strength,
        Said(f"This plan changes {acts}." if acts else "This plan changes nothing in the care.", "scenario:care"),
    ]
    cut = tuple(brief.lead.cut) or (tuple(brief.scenario.assume.links_cut) if brief.scenario.assume else ())
    alt = (
        "A triangle of arrows: pain leads to less movement, less movement to weakness, weakness back to pain; the last arrow is dashed "
        "because it is contested. Opioids and injections act on pain, physical therapy on movement and strength, coordination on whether "
        f"care comes and when.{f' This plan changes {acts}.' if acts else ''}"
    )
    figure = both("cycle", lambda dark: picture(kinds, cut, dark=dark), alt, caption(brief.lead))
    notes = (
        "Say: walk around the triangle once, and stop at the dashed arrow.\n"
        "Say: where the plan acts, and that drugs and injections act on pain alone.\n"
        "You will be asked: is the vicious cycle not proven? No. Gains in strength explained next to nothing of what exercise does to "
        "pain, and most studies found no link of activity to pain or disability (sources below). So the link can be cut in the model."
    )
    return Page(
        "cycle",
        "figure",
        "The cycle, and where care acts on it",
        tuple(said),
        figure,
        notes=notes,
        sources=cited(*_CONTESTED),
        minutes=LONG,
    )


def patients_page(brief: Brief) -> Page:
    """Who the patients are, as a table with what each number comes from."""
    people = brief.scenario.population
    condition = catalog.conditions()[people.condition]
    label = catalog.labels("conditions")[people.condition]
    rows = []
    for name in _TRAITS:
        value = getattr(people, name)
        stated = value is not None and value != Population.model_fields[name].default
        if value is None:
            value = getattr(condition, name, None)
        if value is None or (name in ("opioid_dose", "opioid_weeks") and people.on_opioids == 0.0):
            continue
        if name in ("diagnosed", "rest_weeks", "prior_treatment", "pain_sd") and not stated and brief.minutes < 40:
            continue
        extra = Population.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        unit = str(extra["unit"])
        shown = f"{100 * value:.0f} %" if unit == "share" else f"{value:g} ({unit})" if unit == "0-1" else f"{value:g} {spoken_unit(unit)}"
        source = "this scenario" if stated else condition_source(people.condition, name)
        rows.append((str(extra["label"]).capitalize(), shown, source))
    arrival = brief.lead.level_of("pain", 0)
    function = brief.lead.level_of("function", 0)
    opioids = brief.lead.level_of("on_opioids", 0)
    said: tuple[Said, ...] = (
        Said(
            f"At arrival their mean pain is {plain(arrival.mean, 1)} of 10 and their function {plain(function.mean)} of 100; "
            f"{plain(opioids.mean)} % are prescribed an opioid in the first week.",
            trace("pain", "week 0", "scenario")
            + "; "
            + trace("function", "week 0", "scenario")
            + "; "
            + trace("on_opioids", "week 0", "scenario"),
        ),
        Said("No two are alike: traits are drawn for each, and courses differ.", "parameter:trait_spread; parameter:course_spread"),
        Said("They are invented, and there is no race, income or insurance in the model."),
    )
    if people.arrivals:
        said = (
            *said,
            Said(f"New patients go on arriving in a population of {people.arrivals.people:,}.", "scenario:population/arrivals/people"),
        )
    notes = (
        "Say: who these patients are, and in what they differ from yours.\n"
        "You will be asked: do they look like our patients? Compare the table with your own. Every row can be changed: "
        "`painlab show NAME --toml`, or the group People in the explorer."
    )
    table = Table(("Trait", "Mean", "From"), tuple(rows), "Means; each patient's own traits are drawn around them.")
    sources = cited(*(part for row in rows for part in row[2].split("; ") if part.startswith("T")))
    return Page("patients", "table", f"The patients: {label.lower()}", said, table=table, notes=notes, sources=sources, minutes=LONG)


def condition_source(condition: str, name: str) -> str:
    """What a trait that the scenario leaves alone comes from, short."""
    field = Population.model_fields[name]
    if field.default is None:
        return str(read_toml(data_folder() / "conditions.toml")[condition]["sources"].get(name, "assumption"))
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["source"])


def care_page(brief: Brief) -> Page:
    """What the plan changes, in sentences and field by field."""
    scenario = brief.scenario
    ours, theirs = flat(scenario.care.as_dict()), flat(scenario.baseline_plan().as_dict())
    known = levers()
    rows = []
    for path in dict.fromkeys([*ours, *theirs]):
        if path not in known or ours.get(path) == theirs.get(path):
            continue
        one, whole = known[path], [any(other[0] == path[0] for other in plan) for plan in (theirs, ours)]
        if all(whole) or len(path) == 1:
            rows.append((one.section, one.label, _value(path, theirs), _value(path, ours)))
        elif path[-1] == "start_week":  # a treatment that is new or gone is one thing that changes
            rows.append((one.section, "the whole of it", _order(path[0], theirs), _order(path[0], ours)))
    left = len(rows) - _MOST_ROWS[brief.minutes]
    if left > 0:
        rows = _short(rows, _MOST_ROWS[brief.minutes])
    difference = plan_difference(scenario.care, scenario.baseline_plan())
    said = [Said(f"{text.rstrip('.')}.", "scenario:care") for text in difference.split(". ")]
    if left > 0:
        said.append(Said("The table shows the first fields of each; the code in the appendix holds all."))
    table = Table(("Care", "What", labels(brief)[0].capitalize(), "This plan"), tuple(rows)) if rows else None
    title = "Nothing changes in the care" if brief.same_care else "What changes in care"
    notes = (
        "Say what a patient and what a clinic would notice, first visit first.\n"
        "You will be asked: is that what happens when it is ordered? No. In the model, as in studies, many who are referred never attend "
        "(T12-01c), and attendance falls with pain by an assumption.\n"
        f"The whole plan: {plan_words(scenario.care)}"
    )
    kinds = ("table", table) if table else ("words", None)
    return Page("care", kinds[0], title, tuple(said), table=kinds[1], notes=notes, sources=cited("T12-01c"), minutes=LONG)


def _short(rows: list[tuple[str, str, str, str]], most: int) -> list[tuple[str, str, str, str]]:
    """At most so many rows: of each kind of care its first, then others in turn."""
    order = sorted(range(len(rows)), key=lambda i: (sum(rows[j][0] == rows[i][0] for j in range(i)), i))
    return [rows[i] for i in sorted(order[:most])]


def _order(name: str, plan: dict[tuple[str, ...], float]) -> str:
    """A treatment or taper in short, or that it is not ordered."""
    known = levers()
    mine = {path[-1]: value for path, value in plan.items() if path[0] == name}
    if not mine:
        return "not ordered"
    parts = [f"from week {mine['start_week']:g}"] if "start_week" in mine else []
    parts += [f"{mine['weeks']:g} week{'' if mine['weeks'] == 1 else 's'}"] if "weeks" in mine else []
    parts += [f"{mine['percent_per_month']:g} {known[name, 'percent_per_month'].unit}"] if "percent_per_month" in mine else []
    return ", ".join(parts)


def _value(path: tuple[str, ...], plan: dict[tuple[str, ...], float]) -> str:
    """A field in words; one that is left out of a treatment that is there is the plan's own."""
    if path not in plan:
        return "the plan's coordination" if any(other[0] == path[0] for other in plan) else "not ordered"
    value, unit = plan[path], levers()[path].unit
    if path[-1] == "start_week":
        return f"week {value:g}"
    return f"{100 * value:.0f} %" if unit == "share" else f"{value:g}" if unit in ("0-1", "") else f"{value:g} {spoken_unit(unit)}"


def flat(plan: dict[str, object]) -> dict[tuple[str, ...], float]:
    """A plan's fields by their paths."""
    found: dict[tuple[str, ...], float] = {}
    for name, value in plan.items():
        if isinstance(value, dict):
            found |= {(name, key): one for key, one in value.items()}
        elif isinstance(value, int | float):
            found[name,] = float(value)
    return found


def cited(*ids: str) -> tuple[str, ...]:
    """Citations of evidence ids and citekeys, each once, with the id in front."""
    return tuple(f"{one}: {evidence.citation(one)}" for one in dict.fromkeys(ids))
