"""What a column of a stranger's table seems to be, by its name and by what stands in it."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from painlab.records.cells import day, number, order_evidence, trimmed

SAMPLED: Final = 20_000
"""Rows, from the top, by which a column's kind is told; counts and findings are over all rows."""

PLACEHOLDER: Final = (
    r"(?i)^(null|nil|none|n/?a|nan|<na>|na\.|#n/?a|\(null\)|\(blank\)|missing|unknown|unk|not (available|known|recorded|stated)|\.|-+|\?+)$"
)

# The names that systems give to such columns, in lower case with everything but letters and digits as one underscore.
_NAMES: Final = {
    "person": r"((src_|source_|de_?id_?)?(person|patient|pat|pt|member|mbr|subject|client|bene|beneficiary|enrol+ee|"
    r"participant|recipient|study)s?"
    r"(_?(id|no|nr|num|number|key|code|pseudonym|identifier|source_value))?|patid|pseudo\w*|hashed?_id|mrn|enrolid|desynpuf_id|"
    r"medical_record(_number|_no)?|nhs_number|chi(_number)?|eid|versicherten\w*|patientennummer|"
    r"patienten_?id|patnr|identifiant|paciente|nip)",
    "birth": r"(dob|date_of_birth|birth_?(date|day|datetime)|geburtsdatum|year_of_birth|yob|birth_year)",
    "date": r"((rx_?|script_?)?(fill(ed)?|disp(ensed?|ensing)?|service|svc|srvc?|prescri(bed|ption)|presc|issued?|"
    r"start|order(ed|ing)?|sold|claim|"
    r"drug_exposure_start|supply|visit|event|assessment|index|med)_?(date|dt|datetime|time)|"
    r"date(_of)?(_?(fill(ed)?|dispens(ed|ing)|service|"
    r"supply|issued?|prescription|visit))?|dispensed(_on|_at)?|filled(_on|_at)?|issued|fill_?dt|rxdate|(abgabe)?datum|fecha|dt|week|month)",
    "days": r"(days?_?s?_?(of_)?_?(supply|supplied|sup|suply|supp)|dayssup\w*|daysupp\w*|days|duration(_days)?|"
    r"supply(_days)?|dsupp|reichdauer|reichweite|"
    r"num_days|days_dispensed)",
    "quantity": r"((rx_|disp_|dispensed_?|metric_?|fill_|total_|drug_|num_)?(qty|quant|quantity|units|count|amount|"
    r"menge|anzahl|cantidad|tablets|pills)"
    r"(_?(dispensed|disp|dspnsd(_num)?|supplied|filled|num|prescribed|units))?|no_of_units|number_of_units)",
    "strength": r"((drug_|dose_|med_|product_)?(strength|strngth|str|staerke|potency|concentration)(_(mg|value|num|"
    r"per_unit|mg_per_unit|amount))?|"
    r"mg_per_(unit|tablet|pill)|dose_per_unit|unit_dose|dosage|dosis)",
    "dose": r"(daily_|total_|mean_|avg_)?(mme|mmed|med_mme|omed|ome|mg_day|mg_per_day|daily_dose|dose)(_(mg|per_day|day|daily))?",
    "drug code": r"(ndc\w*|rx_?norm\w*|rxcui|atc(_code)?|dmd(_code)?|bnf_code|drug_(concept_id|code|id)|gpi|hicl\w*|pzn|din)",
    "drug": r"((generic_?|brand_?|product_?|label_?|dispensed_|prescribed_|ndc_)?(drug|medication|medicine|med|"
    r"product|prod|ingredient|active_ingredient|"
    r"opioid|substance|wirkstoff|praeparat|arzneimittel|medikament|medicamento?|farmaco)s?(_?(name|"
    r"desc\w*|label|concept_name|source_value|text|generic))?|"
    r"prodnme|gennme|(generic|brand|label)(_?name)?|bnf_(name|description)|rx_name|drug_nm)",
    "pain": r"((worst_|average_|avg_|current_|usual_|mean_)?pain(_?(score|nrs|vas|level|intensity|rating|scale|"
    r"now|average|severity))?|nrs\w*|vas\w*|"
    r"bpi\w*|schmerz\w*|headache\w*score)",
    "condition": r"((principal_|primary_|admitting_)?(icd\w*|dx\w*|diag\w*|condition(_(code|source_value|concept_id))?|snomed\w*))",
    "sex": r"(sex|gender|geschlecht|sexe|sexo|gender_source_value|sex_code|m_f)",
    "age": r"(age(_(years|yrs|at_\w+|in_years))?|alter|pat_age|patient_age|age_yrs)",
    "unit": r"((strength_?|dose_?|drug_|dosage_)?(unit|uom)|units_of_measure|einheit)",
    "route": r"(route(_of_administration|_name|_source_value)?|roa|form|dosage_?form|dose_?form|formulation)",
    "refill": r"(refills?(_(no|number|num))?|fill_num(ber)?|refill_cnt)",
    "private": r"((first|last|middle|full|sur|given|family|maiden)_?names?|(patient|pat)_?name|address\w*|street|"
    r"tele?phone\w*|phone\w*|mobile|e_?mail\w*|"
    r"ssn|social_security\w*|post_?code|zip(_?code)?)",
}  # fmt: skip
_NAMED: Final = {role: re.compile(pattern) for role, pattern in _NAMES.items()}

WORDS: Final = {
    "person": "person identifier", "birth": "date of birth", "date": "date", "other date": "another date", "days": "days' supply",
    "quantity": "quantity", "strength": "strength", "dose": "dose", "drug": "drug name", "drug code": "drug code", "pain": "pain score",
    "condition": "condition code", "sex": "sex", "age": "age", "unit": "unit of measure", "route": "route or form",
    "refill": "refill number",
    "private": "direct identifier (private)", "row number": "row number", "constant": "constant (one value throughout)", "empty": "empty",
    "text": "free text", "category": "category", "yes or no": "yes or no", "number": "number", "code": "code or identifier",
}  # fmt: skip
NUMBERS: Final = frozenset({"days", "quantity", "strength", "dose", "pain", "age", "number", "refill"})
DATES: Final = frozenset({"date", "birth", "other date"})
_DRUGS: Final = (
    r"(?i)(?-u:\b)([a-z]*codone|[a-z]*morph(one|ine?)[a-z]*|codein[a-z]*|co-?codamol|tramadol[a-z]*|"
    r"fentan[iy]l[a-z]*|methadon[a-z]*|buprenorphin[a-z]*|tapentadol[a-z]*|tilidin[a-z]*|"
    r"meperidin[a-z]*|pethidin[a-z]*|levorphanol|dihydrocodein[a-z]*|pentazocin[a-z]*|butorphanol|"
    r"percocet|vicodin|norco|oxycontin|ultram|dilaudid|suboxone|"
    r"duragesic|opana|nucynta|ibuprofen|naproxen|acetaminophen|paracetamol|gabapentin|pregabalin|"
    r"duloxetine|amitriptylin[a-z]*|diclofenac|celecoxib)"
)
_ICD: Final = r"^([A-TV-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?|[0-9]{3}\.[0-9]{1,2}|V[0-9]{2}(\.[0-9]{1,2})?|E[0-9]{3}(\.[0-9])?)$"
_NDC: Final = r"^([0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}|[0-9]{11}|[A-Z][0-9]{2}[A-Z]{2}[0-9]{2})$"
SEX: Final = r"(?i)^(m|f|w|d|u|x|male|female|man|woman|m.nnlich|weiblich|homme|femme|unknown|other|[0129](\.0)?|8507|8532)$"
_YES_OR_NO: Final = r"(?i)^(y|n|yes|no|true|false|t|f|ja|nein|oui|non|0|1)$"
_CONTACT: Final = r"(^[^@\s]+@[^@\s]+\.[a-z]{2,}$|^\+?\(?[0-9]{3}\)?[-. ][0-9]{3}[-. ][0-9]{4}$|^[0-9]{3}-[0-9]{2}-[0-9]{4}$)"
_COUNTS: Final = "tab(let)?s?|tabletten|cap(sule)?s?|kapseln?|pills?|patch(es)?|ea(ch)?|units?|days?|stk|stück|tage?"
WITH_UNIT: Final = rf"(?i)^([-+]?[0-9.,]+)\s*(mg|mcg|µg|μg|ug|g|ml|d|{_COUNTS})\.?$"
COUNTED: Final = rf"(?i)^([-+]?[0-9.,]+)\s*({_COUNTS}|years?|yrs?)\.?$"
"""Numbers with a unit behind that says only what is counted, and may be left out."""


class Seen(NamedTuple):
    """What a column seems to be, and why."""

    column: str
    role: str
    filled: float
    """Share of rows."""
    example: str
    order: str
    """For dates, which of day and month stands first (see `date_order`)."""
    by: str

    @property
    def words(self) -> str:
        """What it seems to be, for a reader."""
        return WORDS[self.role]


def plain_name(name: str) -> str:
    """A column's name in lower case, with everything but letters and digits as one underscore.

    >>> plain_name("Days' Supply")
    'days_supply'
    """
    for letter, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("'", ""), ("’", "")):
        name = name.replace(letter, written)
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


def role_named(name: str) -> str:
    """The role that a column's name speaks for, or an empty text.

    >>> role_named("QTY_DISPENSED"), role_named("patientID"), role_named("weather")
    ('quantity', 'person', '')
    """
    plain = plain_name(name)
    return next((role for role, pattern in _NAMED.items() if pattern.fullmatch(plain)), "")


def shares(frame: pl.DataFrame, column: str, decimal: str) -> dict[str, float]:
    """Shares of a column's values that look like each kind of thing, and how many values there are."""
    values = frame.select(cell=trimmed(pl.col(column))).drop_nulls().filter(~pl.col("cell").str.contains(PLACEHOLDER))
    text, figure = pl.col("cell"), number(pl.col("cell"), decimal)
    found = values.select(
        values=pl.len(),
        distinct=text.n_unique(),
        number=figure.is_not_null().mean(),
        rising=(figure.diff() == 1).mean(),
        unit=text.str.contains(WITH_UNIT).mean(),
        day=day(text).is_not_null().mean(),
        three=order_evidence(text)["three"],
        serial=text.str.contains(r"^[2-6][0-9]{4}(\.[0-9]+)?$").mean(),
        compact=text.str.contains(r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$").mean(),
        drug=text.str.contains(_DRUGS).mean(),
        icd=text.str.contains(_ICD).mean(),
        ndc=text.str.contains(_NDC).mean(),
        sex=text.str.contains(SEX).mean(),
        yes=text.str.contains(_YES_OR_NO).mean(),
        contact=text.str.contains(_CONTACT).mean(),
        words=text.str.count_matches(r"\S+").mean(),
        lettered=text.str.contains(r"\p{L}").mean(),
        digits=text.str.contains(r"[0-9]").mean(),
    ).row(0, named=True)
    return {name: float(value or 0.0) for name, value in found.items()}


def _fits(role: str, share: dict[str, float]) -> bool:
    """Whether what stands in a column does not speak against what its name says."""
    dated = share["day"] + share["three"] / max(share["values"], 1.0)
    if role in DATES:
        return dated >= 0.4 or (role == "birth" and share["number"] > 0.9)
    if role == "strength":
        return share["digits"] >= 0.5
    if role in NUMBERS:
        return share["number"] + share["unit"] >= 0.5 and dated - share["serial"] - share["compact"] < 0.5
    if role == "drug":
        return share["lettered"] >= 0.5 and share["words"] < 12.0
    if role == "condition":
        return share["words"] < 2.0
    if role == "sex":
        return share["sex"] >= 0.5 or share["distinct"] <= 6.0
    return True


def role_of(name: str, share: dict[str, float]) -> tuple[str, str]:
    """The role of a column, and what it was told by: its name, or what stands in it."""
    values, distinct = share["values"], share["distinct"]
    if not values:
        return "empty", "nothing stands in it"
    role = role_named(name)
    if role and _fits(role, share):
        return role, "its name"
    dated = share["day"] - share["serial"] - share["compact"] + share["three"] / values
    tells: Sequence[tuple[str, bool]] = (
        ("private", share["contact"] >= 0.8),
        ("drug", share["drug"] >= 0.5 and share["words"] < 12.0),
        ("other date", dated >= 0.6 or share["compact"] >= 0.9),
        ("condition", share["icd"] >= 0.8),
        ("drug code", share["ndc"] >= 0.8),
        ("sex", share["sex"] >= 0.95 and distinct <= 4 and share["number"] < 0.5),
        ("constant", distinct == 1 and values > 1),
        ("yes or no", share["yes"] >= 0.95 and distinct <= 3),
        ("row number", share["number"] >= 0.99 and share["rising"] >= 0.95 and values > 2),
        ("number", share["number"] + share["unit"] >= 0.8),
        ("code", share["words"] < 1.2 and share["digits"] > 0.5 and distinct > 20),
        ("category", distinct <= max(20.0, 0.01 * values) and distinct < values),
    )
    return next((role for role, so in tells if so), "text"), "what stands in it"
