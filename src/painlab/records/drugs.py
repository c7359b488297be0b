"""Drug names and strengths as people write them, read into ingredient, route and strength.

It recognizes generic names in several languages, brands, compounds ("hydrocodone-acetaminophen 5-325 MG PO TABS"), RxNorm's way
("acetaminophen 325 MG / oxycodone hydrochloride 10 MG Oral Tablet [Percocet]"), liquids and patches. What it does not know it leaves open.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final, NamedTuple

import polars as pl

from painlab.records import names
from painlab.records.names import FILM, INJECTION, MUCOSAL, NASAL_SPRAY, PATCH, TABLET

UNIT_ASSUMED: Final = "strength has no unit: mg assumed (mcg/h for patches)"
PATCH_UNIT_ASSUMED: Final = "patch strength without an hour: taken as mcg/h"
TWO_OPIOIDS: Final = "two opioids in one product: its dose is not known"
COUGH_PRODUCT: Final = "cough or cold product, which CDC 2018 leaves out"
LIQUID_ASSUMED: Final = "liquid whose route is not stated: taken as oral"

MG: Final = "mg"
MG_PER_ML: Final = "mg/mL"
MCG_PER_HOUR: Final = "mcg/h"
UNITS: Final = (MG, MG_PER_ML, MCG_PER_HOUR)

MOST_TEXT: Final = 400
"""Letters of a name that are looked at: what follows is a direction or a note."""


class Product(NamedTuple):
    """What a drug's name and strength say.

    `ingredient` is None where no opioid is named; `route` is "" where it cannot be told; `strength` is per tablet, film, spray or
    milliliter in mg, for patches in mcg/h, None where it is not stated; `unit` is "mg", "mg/mL" or "mcg/h"; `notes` say what was assumed.
    """

    ingredient: str | None = None
    route: str = ""
    strength: float | None = None
    unit: str = ""
    notes: tuple[str, ...] = ()


_NUMBER: Final = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)"
_MASS: Final = r"(?:mg|mcg|μg|ug|gm|g|milligrams?|micrograms?|microgramos?|mikrogramm)"
_MEASURE: Final = re.compile(
    rf"(?<![\d.,a-z#])(?P<value>{_NUMBER})\s*-?\s*(?P<mass>{_MASS})?(?![a-z0-9])"
    rf"(?:\s*(?:/|per|pro)\s*(?P<of>{_NUMBER})?\s*(?P<per>ml|milliliters?|hours?|hrs?|h|std|stunden?|actuat\w*|act|sprays?|dose|tab\w*|cap\w*)(?![a-z]))?"
)
_BETWEEN: Final = re.compile(r"\s*[-/+&]\s*|\s+and\s+")
_NOT_STRENGTH: Final = re.compile(
    r"\s*(?:%|x\b|ml\b|hrs?\b|hours?\b|h\b|days?\b|tab|cap|ct\b|count|unit|units\b|pack|box|patch|pcs|pill|film|act|refill|stk\b|st\b)"
)
_IN_MG: Final = {"mg": 1.0, "milligram": 1.0, "milligrams": 1.0, "g": 1000.0, "gm": 1000.0}
_SALT: Final = r"(?:-?\s?hcl|hydrochlorid\w*|hydrogen\w*|sul[fp]h?at\w*|citrat\w*|phosphat\w*|bitartrat\w*|tartrat\w*|pflaster\w*|tropfen)?"
_CODEINE_NUMBER: Final = re.compile(r"(?:#|\bno\.?|\bnumber)\s*([1-4])(?![\d.])|tylenol\s*-?([1-4])(?![\d.])")

# In this order: "injectable solution" is no oral solution, and a patch is a patch whatever else is said.
_ROUTES: Final = tuple(
    (route, re.compile(pattern))
    for route, pattern in (
        (PATCH, r"\bpatch|\bptch\b|transdermal|\btd\b|\btd(?:72|sy)|\bpt72|\bptwk|pflaster|parche|cerotto|\btts\b"),
        (
            INJECTION,
            r"inject|\binj\b|\bij\b|(?<!schedule )(?<!c-)\biv\b|\bim\b|intraven|intramus|subcut|\bsubq\b|syringe|ampou?l|"
            r"\bamp\b|\bvials?\b|infus|\bpca\b|epidural|intrathec|cartridge|auto-inj|inyect|injekt",
        ),
        ("rectal", r"rectal|suppos|\bsupp\b|zäpfchen|zapfchen"),
        ("implant", r"implant"),
        ("inhalation", r"inhal|nebul"),
        ("topical", r"topical|\bcream\b|\bgel\b|ointment"),
        ("nasal", r"nasal|\bnasl\b"),
        (
            "film",
            r"\bfilm\b(?!-?coated)|\bfilms\b|\bstrips?\b|oral spray|sublingual spray|(?:sublingual|oral) liquid spray|oromucosal spray",
        ),
        ("mucosal", r"buccal|\bbucl\b|sublingual|\bsubl\b|\bsl\b|lozenge|\bloz\b|troche|lollipop|lpop|transmucosal|oromucosal"),
        ("oral", r"\boral|\bpo\b|\btab|\bcap|\bcaps\b|syrup|elixir|drops|solution|suspension|\bsoln\b|liquid|mouth|retard|tablet|compr"),
    )
)


@cache
def _names() -> re.Pattern[str]:
    """One pattern for all names of opioids and of what stands beside them, longest first; a hyphen in a name may be a space or nothing."""
    everything = sorted({*names.known(), *names.PARTNERS, *names.COUGH, "tylenol"}, key=len, reverse=True)
    words = "|".join(re.escape(name).replace(r"\-", r"[\s-]?") for name in everything)
    return re.compile(rf"(?<![a-z])({words}){_SALT}(?![a-z])")


def recognize(drug: str | None, strength: str | None = None, *, unit: str | None = None, route: str | None = None) -> Product:
    """Read one drug from its name, and from strength, unit and route where they stand in columns of their own.

    >>> recognize("oxyCODONE 5 MG Oral Tablet")
    Product(ingredient='oxycodone', route='oral', strength=5.0, unit='mg', notes=())
    >>> recognize("HYDROCODONE-ACETAMINOPHEN", "7.5-325 mg/15 mL").strength
    0.5
    >>> recognize("72 HR fentanyl 0.025 MG/HR Transdermal System")[1:4]
    ('transdermal patch', 25.0, 'mcg/h')
    >>> recognize("lisinopril 10 MG Oral Tablet").ingredient is None
    True
    """
    return _recognized(drug or "", strength or "", unit or "", route or "")


@lru_cache(maxsize=100_000)
def _recognized(drug: str, strength: str, unit: str, route: str) -> Product:
    text = _plain(drug)
    found = [(match.start(), match.end(), _key(match.group(1))) for match in _names().finditer(text)]
    opioids = [(start, end, names.known()[key]) for start, end, key in found if key in names.known()]
    if not opioids and not ("tylenol" in text and _CODEINE_NUMBER.search(text)):
        return Product()
    ingredients = list(dict.fromkeys(named.ingredient for _, _, named in opioids)) or ["codeine"]
    notes = []
    if any(key in names.COUGH for _, _, key in found):
        notes.append(COUGH_PRODUCT)
    if len(ingredients) > 1:
        return Product(ingredients[0], "", None, "", (*notes, TWO_OPIOIDS))
    ingredient = ingredients[0]
    branded = next((named.route for _, _, named in opioids if named.route), "")
    stated = _route(_plain(route)) or _route(f"{text} {_plain(strength)} {_plain(unit)}")
    amount, measured, assumed = _strength(text, _plain(strength), _plain(unit), ingredient, found, opioids[0][1] if opioids else 0)
    way = _way(ingredient, stated, branded, measured)
    if amount is not None and way == PATCH and measured != MCG_PER_HOUR:
        amount, measured, assumed = _patch(amount, measured, assumed)
    if assumed:
        notes.append(assumed)
    if measured == MG_PER_ML and not stated and way == "oral":
        notes.append(LIQUID_ASSUMED)
    return Product(ingredient, way, amount, measured, tuple(notes))


def _plain(text: str) -> str:
    """Lower case, without accents and signs of trade marks, not longer than what is looked at."""
    letters = unicodedata.normalize("NFKD", text[:MOST_TEXT].translate(_MARKS)).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


_MARKS: Final = str.maketrans({"®": " ", "™": " ", "_": " ", "\u00a0": " ", "–": "-", "—": "-", "\u2010": "-", "\u2011": "-"})


@cache
def _keys() -> dict[str, str]:
    return {name.replace("-", ""): name for name in (*names.known(), *names.PARTNERS, *names.COUGH)}


def _key(written: str) -> str:
    return _keys().get(re.sub(r"[\s-]", "", written), written)


def _route(text: str) -> str:
    return next((route for route, pattern in _ROUTES if pattern.search(text)), "")


def _way(ingredient: str, stated: str, branded: str, unit: str) -> str:
    """How it is given, in the words of the table of factors."""
    if unit == MCG_PER_HOUR and stated != INJECTION:
        return PATCH
    if stated in {PATCH, INJECTION, "rectal", "implant", "inhalation", "topical"}:
        return stated
    if ingredient == "fentanyl":
        if branded:
            return branded
        return {"nasal": NASAL_SPRAY, "film": FILM, "mucosal": TABLET, "oral": TABLET}.get(stated, "")
    if ingredient == "buprenorphine":
        return branded or MUCOSAL
    if ingredient == "butorphanol":
        return stated or "nasal"
    if branded and branded != "oral" and not stated:
        return branded
    return {"nasal": "nasal", "mucosal": "sublingual"}.get(stated, "oral")


def _patch(amount: float, unit: str, assumed: str) -> tuple[float | None, str, str]:
    """A patch's strength that is not stated by the hour: 25 or 25 mcg is 25 mcg/h; what it holds in all does not tell the rate."""
    if assumed:
        return amount, MCG_PER_HOUR, assumed
    if unit == MG and amount <= 0.2:
        return amount * 1000.0, MCG_PER_HOUR, PATCH_UNIT_ASSUMED
    return None, "", ""


class _Measure(NamedTuple):
    value: float
    mass: str
    of: float
    per: str
    start: int
    end: int


def _measures(text: str) -> list[list[_Measure]]:
    """Runs of figures: "5-325 mg" is one run of two, "300 mg codeine 30 mg" two runs of one."""
    runs: list[list[_Measure]] = []
    for match in _MEASURE.finditer(text):
        measure = _Measure(
            _figure(match["value"]), match["mass"] or "", _figure(match["of"] or "1"), match["per"] or "", match.start(), match.end()
        )
        if runs and _BETWEEN.fullmatch(text[runs[-1][-1].end : measure.start]):
            runs[-1].append(measure)
        else:
            runs.append([measure])
    return runs


def _figure(text: str) -> float:
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))


def _strength(
    drug: str, strength: str, unit: str, ingredient: str, found: list[tuple[int, int, str]], after: int
) -> tuple[float | None, str, str]:
    """Strength in mg (mcg/h for what is given by the hour), its unit, and what was assumed."""
    numbered = _CODEINE_NUMBER.search(drug) if ingredient == "codeine" else None
    if numbered and not any(measure.mass for run in _measures(strength or drug) for measure in run):
        return names.TYLENOL[numbered[1] or numbered[2]], MG, ""
    if strength:
        whole = strength if re.search(r"[a-zμ%]", strength) else f"{strength} {unit}"
        return _chosen(whole, _measures(whole), found, 0, True)
    inside = re.sub(r"\[[^\]]*\]", lambda match: " " * len(match[0]), drug)
    for part in re.finditer(r"(?:(?!\s/\s).)+", inside):  # RxNorm parts the components by " / "
        runs = [run for run in _measures(part[0]) if any(measure.mass for measure in run)]
        if part.start() <= after <= part.end() and runs and len(part[0]) < len(inside):
            return _chosen(
                part[0], runs, [name for name in found if part.start() <= name[0] < part.end()], max(0, after - part.start()), False
            )
    return _chosen(inside, _measures(inside), found, after, False)


def _chosen(
    text: str, runs: list[list[_Measure]], found: list[tuple[int, int, str]], after: int, alone: bool
) -> tuple[float | None, str, str]:
    """The opioid's figure among those of a text; `alone` where the text is a strength and nothing else."""
    weighed = [run for run in runs if any(measure.mass for measure in run)]
    plain = [run for run in runs if run not in weighed and (alone or len(run) > 1 or not _NOT_STRENGTH.match(text, run[-1].end))]
    candidates = weighed or sorted(plain, key=len, reverse=True)
    if not candidates:
        return None, "", ""
    run = next((run for run in candidates if run[0].start >= after), candidates[0])
    measure = run[_place(run, found)]
    last = next((one for one in reversed(run) if one.mass or one.per), run[-1])
    mass, per, of = measure.mass or last.mass, measure.per or last.per, measure.of if measure.per else last.of
    amount = measure.value * _IN_MG.get(mass, 1e-3 if mass else 1.0) / (of or 1.0)
    assumed = "" if mass or len(run) > 1 else UNIT_ASSUMED
    if per.startswith("m"):
        return amount, MG_PER_ML, assumed
    if per[:1] in {"h", "s"} and not per.startswith("spray"):
        return amount * 1000.0, MCG_PER_HOUR, assumed
    return amount, MG, assumed


def _place(run: list[_Measure], found: list[tuple[int, int, str]]) -> int:
    """Which figure of "5-325" is the opioid's: by the order of the names, else the smaller, or with an antagonist the larger."""
    if len(run) == 1:
        return 0
    keys = [key for _, _, key in found]
    order = list(dict.fromkeys(names.known()[key].ingredient if key in names.known() else key for key in keys if key != "tylenol"))
    opioid = next((place for place, key in enumerate(order) if key not in names.PARTNERS and key not in names.COUGH), 0)
    values = [measure.value for measure in run]
    if len(order) == len(run) and values[opioid] <= names.MOST_PER_UNIT.get(order[opioid], float("inf")):
        return opioid  # beyond that the figures stand the other way round: "hydrocodone-acetaminophen 325-5"
    antagonist = any(key in names.ANTAGONISTS or key in names.LARGEST_FIRST for key in keys)
    return values.index(max(values) if antagonist else min(values))


PRODUCT: Final = pl.Struct(
    {"ingredient": pl.String, "route": pl.String, "strength": pl.Float64, "strength_unit": pl.String, "notes": pl.List(pl.String)}
)


def recognized(drug: pl.Expr, strength: pl.Expr, unit: pl.Expr, route: pl.Expr) -> pl.Expr:
    """`recognize` for columns of text: a struct of ingredient, route, strength, strength_unit and notes.

    Each text is read once a batch, however many rows have it.
    """
    cells = pl.struct(drug.alias("drug"), strength.alias("strength"), unit.alias("unit"), route.alias("route"))
    return cells.map_batches(_products, return_dtype=PRODUCT, is_elementwise=True)


def _products(cells: pl.Series) -> pl.Series:
    frame = cells.struct.unnest()
    keys = frame.columns
    distinct = frame.unique()
    read = [recognize(row["drug"], row["strength"], unit=row["unit"], route=row["route"]) for row in distinct.iter_rows(named=True)]
    values = [
        dict(zip(("ingredient", "route", "strength", "strength_unit", "notes"), (*one[:4], list(one.notes)), strict=True)) for one in read
    ]
    table = distinct.with_columns(pl.Series("product", values, dtype=PRODUCT))
    return frame.join(table, on=keys, how="left", nulls_equal=True, maintain_order="left")["product"]
