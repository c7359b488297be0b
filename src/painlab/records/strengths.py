"""Strengths of opioids by concept, from the OMOP vocabulary's DRUG_STRENGTH."""

from typing import Final

import polars as pl

from painlab.records import drugs

AMOUNTS: Final = ("amount_value", "numerator_value", "denominator_value")
UNITS: Final = ("amount_unit", "numerator_unit", "denominator_unit")
MEASURED: Final = {"concept": pl.String(), "ingredient": pl.String(), "measured": pl.Float64(), "measured_unit": pl.String()}
"""Columns of what `measured` gives: concept, ingredient, strength and its unit as in fills."""

_IN_MG: Final = {"8576": 1.0, "9655": 1e-3, "8504": 1e3}
"""Concepts of milligram, microgram and gram."""
_MILLILITER: Final = "8587"
_HOUR: Final = "8505"


def measured(rows: pl.DataFrame, substances: pl.DataFrame) -> pl.DataFrame:
    """Turn rows of DRUG_STRENGTH into strengths by concept and ingredient, in the units of fills.

    Parameters
    ----------
    rows
        `concept`, `substance` (ids as text), the columns of AMOUNTS (Float64) and of UNITS (concept ids as text).
    substances
        `concept`, `name` of the substances; only those named as an opioid come out.

    Returns
    -------
    DataFrame
        In columns MEASURED: mg per unit, mg/mL, or mcg/h for patches. Amounts in other units are left out, as are concepts with two
        strengths of one ingredient (packs).
    """
    names = {row["concept"]: drugs.recognize(row["name"]).ingredient for row in substances.iter_rows(named=True)}
    found: dict[tuple[str, str], set[tuple[float, str]]] = {}
    for row in rows.iter_rows(named=True):
        ingredient = names.get(row["substance"])
        strength = _strength(row)
        if ingredient is not None and strength is not None:
            found.setdefault((row["concept"], ingredient), set()).add(strength)
    single = [(*key, *next(iter(strengths))) for key, strengths in found.items() if len(strengths) == 1]
    return pl.DataFrame(single, schema=MEASURED, orient="row")


def _strength(row: dict[str, float | str | None]) -> tuple[float, str] | None:
    amount, numerator = row["amount_value"], row["numerator_value"]
    if isinstance(amount, float) and row["amount_unit"] in _IN_MG and amount > 0:
        return amount * _IN_MG[str(row["amount_unit"])], drugs.MG
    if not isinstance(numerator, float) or row["numerator_unit"] not in _IN_MG or numerator <= 0:
        return None
    of = row["denominator_value"]
    mg = numerator * _IN_MG[str(row["numerator_unit"])] / (of if isinstance(of, float) and of > 0 else 1.0)
    if row["denominator_unit"] == _HOUR:
        return mg * 1000.0, drugs.MCG_PER_HOUR
    return mg, drugs.MG_PER_ML if row["denominator_unit"] == _MILLILITER else drugs.MG
