"""The one exception for bad input."""


class InputError(ValueError):
    """Something a user gave cannot be used; the message says what, where, and how to mend it.

    The message is one paragraph for the person who will read it, without a traceback in the terminal.

    Parameters
    ----------
    problem
        What was given and why it cannot be used, without a final full stop.
    where
        The file, and the row, line or key in it.
    expected
        What would have been accepted.
    mend
        What to do now.

    >>> print(InputError("horizon is 0 weeks", where="my.toml, key weeks", expected="1 to 520", mend="Set weeks = 104."))
    my.toml, key weeks: horizon is 0 weeks. Expected 1 to 520. Set weeks = 104.
    """

    def __init__(self, problem: str, *, where: str = "", expected: str = "", mend: str = "") -> None:
        self.problem = problem
        self.where = where
        self.expected = expected
        self.mend = mend
        super().__init__(self._paragraph())

    def _paragraph(self) -> str:
        text = f"{self.where}: {self.problem}." if self.where else f"{self.problem}."
        if self.expected:
            text += f" Expected {self.expected.rstrip('.')}."
        if self.mend:
            text += f" {self.mend.rstrip('.')}."
        return text
