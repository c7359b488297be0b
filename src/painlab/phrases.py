"""A care plan in plain sentences, and what sets it apart from another."""

from painlab import catalog
from painlab.fields import Lever
from painlab.orders import TreatmentOrder
from painlab.plan import CarePlan, levers


def _flat(plan: CarePlan) -> dict[tuple[str, ...], float]:
    known = levers()  # a trial's switches are no levers
    flat: dict[tuple[str, ...], float] = {}
    for name, value in plan.as_dict().items():
        if isinstance(value, dict):
            flat |= {(name, key): one for key, one in value.items() if (name, key) in known}
        else:
            flat[name,] = value
    return flat


def _say(value: float) -> str:
    return f"{value:g}"


def _phrases(table: dict[tuple[str, ...], float]) -> str:
    """Say a plan's table: its start, then what is not usual."""
    known = levers()
    telling = {path: value for path, value in table.items() if path[-1] == "start_week" or not _is_usual(path, value)}
    said = [known[path].words.format(_say(value)) for path, value in telling.items()]
    return f"{known[next(iter(table))].section} {', '.join(said) or 'is usual'}."


def _is_usual(path: tuple[str, ...], value: float) -> bool:
    """Whether a value is the treatment's usual order, or the default of its field; prescribing and follow-up are always said.

    Only a trial's protocol that is not there is not said.
    """
    if path[0] in catalog.treatments():
        usual = catalog.treatments()[path[0]].order
        return value == usual.get(path[1], TreatmentOrder.model_fields[path[1]].default)
    return path == ("prescribing", "assigned_weeks") and value == 0


def _tables(plan: CarePlan) -> dict[str, dict[tuple[str, ...], float]]:
    tables: dict[str, dict[tuple[str, ...], float]] = {}
    for path, value in _flat(plan).items():
        tables.setdefault(path[0], {})[path] = value
    return tables


def plan_words(plan: CarePlan) -> str:
    """Say a whole care plan in sentences."""
    return " ".join(_phrases(table) for table in _tables(plan).values())


def plan_difference(new: CarePlan, old: CarePlan) -> str:
    """Differences of two care plans as sentences; says so if there are none."""
    known: dict[tuple[str, ...], Lever] = levers()
    after, before = _tables(new), _tables(old)
    sentences = []
    for name in dict.fromkeys([*after, *before]):
        ours, theirs = after.get(name, {}), before.get(name, {})
        section = known[next(iter(ours or theirs))].section
        if not theirs:
            sentences.append(_phrases(ours))
        elif not ours:
            sentences.append(f"{section} is left out.")
        else:
            changed = {path: value for path, value in ours.items() if value != theirs.get(path)}
            said = [known[p].words.format(_say(v)) + (f" instead of {_say(theirs[p])}" if p in theirs else "") for p, v in changed.items()]
            # only what a referral states can be left out of a table that stays
            said += [f"has the plan's {known[p].label} instead of {_say(v)}" for p, v in theirs.items() if p not in ours]
            if said:
                sentences.append(f"{section} {', '.join(said)}.")
    return " ".join(sentences) or "The care is the same."
