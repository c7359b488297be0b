"""Which column of a stranger's table holds what a fill needs."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from painlab.errors import InputError
from painlab.tables import nearest, printable

FIELDS: Final = ("person", "date", "drug", "strength", "strength_unit", "route", "quantity", "days_supply")
REQUIRED: Final = ("person", "date", "drug", "quantity")

_COMMON: Final = {
    "person": (
        "person personid patient patientid patid patientnumber patno pat pid mrn memberid member enrolid enrolleeid "
        "beneficiaryid beneid subjectid subject pseudonym nhsnumber studyid idpatient patientenid paciente nip id"
    ),
    "date": (
        "date filldate datefilled dispensedate dispenseddate dispensingdate datedispensed dispensed rxdate rxfilldate svcdate "
        "servicedate serviceddt filldt filleddate filled drugexposurestartdate prescriptiondate prescribeddate issuedate "
        "dateissued issued orderdate orderingdate startdate eventdate rxstartdate datum abgabedatum fecha"
    ),
    "drug": (
        "drug drugname medication medicationname medicationdescription med medname product productname prodname drugproductname "
        "drugdescription drugname1 genericname generic description rxname bnfname bnfdescription labelname brandname "
        "drugsourcevalue substance activeingredient ingredient arzneimittel medicamento farmaco name"
    ),
    "strength": ("strength drugstrength productstrength strengthperunit dosestrength dose dosage dosis strengthvalue strengthnum"),
    "strength_unit": ("strengthunit doseunit strengthuom uom unit units strengthunits dosageunit"),
    "route": ("route routeofadministration routename adminroute dosageform doseform form formulation routesourcevalue"),
    "quantity": (
        "quantity qty quantitydispensed qtydispensed dispensedquantity dispensedqty quantityprescribed totalquantity "
        "qtyprescribed metricqty metricquantity numberofunits numunits dispqty dispensequantity dispensedamount qtydisp menge "
        "cantidad amount"
    ),
    "days_supply": (
        "dayssupply daysupply dayssupplied dayssup dayssupplynum supplydays supply daysofsupply dayssupplydispensed daysupplied "
        "duration durationdays days reichweite"
    ),
}
"""Names as exporters write them, without case and signs; the first of them that is there holds the field."""


def columns_of(found: Sequence[str], stated: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """Which of the columns `found` holds each field of a fill: as stated, else by a common name, in the order of how plain the name is.

    Raises InputError for a field or column that is not there, a column stated twice, and a needed field that no column seems to hold.

    >>> columns_of(["PAT_ID", "Fill Date", "Drug Name", "Qty"], None, "fills.csv")
    {'person': 'PAT_ID', 'date': 'Fill Date', 'drug': 'Drug Name', 'quantity': 'Qty'}
    """
    mapping = dict(_checked(found, stated or {}, where))
    plain = {name: re.sub(r"[^a-z0-9]", "", name.casefold()) for name in found}
    for field in FIELDS:
        if field in mapping or (stated and field in stated):
            continue
        taken = set(mapping.values())
        for common in _COMMON[field].split():
            match = next((name for name in found if plain[name] == common and name not in taken), None)
            if match is not None:
                mapping[field] = match
                break
    missing = [field for field in REQUIRED if field not in mapping]
    if missing:
        listed = ", ".join(printable(name, 40) for name in found[:30]) or "none"
        example = ", ".join(f'"{field}": "..."' for field in missing)
        raise InputError(
            f"no column seems to hold {' or '.join(missing)}; the columns are {listed}",
            where=where,
            expected=f"columns for {', '.join(REQUIRED)}",
            mend=f"Say which: columns={{{example}}}",
        )
    return {field: mapping[field] for field in FIELDS if field in mapping}


def _checked(found: Sequence[str], stated: Mapping[str, str], where: str) -> Mapping[str, str]:
    for field, column in stated.items():
        if field not in FIELDS:
            raise InputError(f'columns names an unknown field "{field}"{nearest(field, FIELDS)}', where=where, expected=", ".join(FIELDS))
        if column not in found:
            listed = ", ".join(printable(name, 40) for name in found[:30])
            raise InputError(
                f'there is no column "{printable(str(column))}" for {field}{nearest(str(column), found)}',
                where=where,
                expected=f"one of {listed}",
            )
    twice = sorted({column for column in stated.values() if list(stated.values()).count(column) > 1})
    if twice:
        raise InputError(f'column "{twice[0]}" is stated for two fields', where=where, expected="a column of its own for each field")
    return stated
