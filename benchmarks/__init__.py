"""How fast the engine is, measured beside other ways to run the same model; README.md says what and how. Not part of the wheel."""
