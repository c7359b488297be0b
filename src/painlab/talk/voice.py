"""The words of a talk for those who listen: the same findings, said for clinicians, for the public, or for analysts."""

from typing import Final, NamedTuple


class Voice(NamedTuple):
    """What things are called: demand, its unit, pain, function and sets of parameters in running text; the rest are whole sentences."""

    demand: str
    demand_unit: str
    pain: str
    function: str
    what_is_counted: str
    what_is_the_band: str
    sets: str


VOICES: Final = {
    "clinicians": Voice(
        demand="opioid demand",
        demand_unit="MME a day per 1,000 patients",
        pain="pain (0-10)",
        function="function (0-100)",
        what_is_counted="Opioid demand is the prescribed dose, in morphine milligram equivalents (MME) a day for 1,000 patients.",
        what_is_the_band="Bands hold {level} % of the parameter draws; a band with zero in it means that the model cannot tell.",
        sets="sets of parameters",
    ),
    "public": Voice(
        demand="opioid use",
        demand_unit="milligrams of morphine, or the equivalent in another opioid, a day for 1,000 people",
        pain="pain on a scale of 0-10",
        function="what people can do, on a scale of 0-100",
        what_is_counted="Opioids are strong painkillers. All are counted as the morphine they are equivalent to, in "
        "milligrams a day for 1,000 people: morphine milligram equivalents, MME in charts.",
        what_is_the_band="Behind each number stands a range: {level} % of the answers that the evidence allows. "
        "With zero in it, we do not know.",
        sets="answers that the evidence allows",
    ),
    "analysts": Voice(
        demand="opioid demand",
        demand_unit="MME/day per 1,000 patients",
        pain="pain (0-10 NRS)",
        function="function (0-100)",
        what_is_counted="Opioid demand is prescribed MME/day per 1,000 patients; differences are scenario less baseline on the same "
        "patients and random numbers.",
        what_is_the_band="Bands are the central {level} % of the draws' means: they hold parameters and each draw's chance.",
        sets="parameter sets",
    ),
}
"""Voices by audience."""
