"""The full model of a closed cohort, written with other tools; each module has `simulate(scenario, values, patients, seed, weeks)`.

It returns weekly means of shape (2 arms, outcomes, weeks + 1), baseline first, in the order of `painlab.outcomes.OUTCOMES` and in
patients' units, from the tool's own random numbers.
"""
