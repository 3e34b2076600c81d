"""A framework: the cloud's reasoning as typed data, applied to private text at home. Never code."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from hybridmesh.schemas.message import Frozen

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Slot(Frozen):
    """A value that is copied from the private text; ``question`` finds it, and it must stand there verbatim."""

    name: Name
    type: Literal["text", "number", "date", "money"] = "text"
    question: str = Field(max_length=300)
    required: bool = False


class YesNo(Frozen):
    """A question about the private text with a yes or no answer, usable in formulas and conditions by name."""

    name: Name
    question: str = Field(max_length=300)


class Formula(Frozen):
    """A value computed from slots, checks and earlier formulas; arithmetic and comparisons only."""

    name: Name
    expression: str = Field(max_length=200)


class Framework(Frozen):
    """Slots, checks, formulas and a template.

    In ``template``, ``{name}`` is replaced by a slot or formula; a line with a name that has no value is left
    out. A line that starts with ``{?name}`` or ``{!name}`` (or several of these) stays only when each holds: for a
    check or formula that it is true or false, where one without an answer is neither; for a slot that it has a
    value or has none.
    """

    title: str = Field(max_length=120)
    slots: tuple[Slot, ...] = Field(default=(), max_length=20)
    checks: tuple[YesNo, ...] = Field(default=(), max_length=12)
    formulas: tuple[Formula, ...] = Field(default=(), max_length=12)
    template: str = Field(max_length=6000)


class Application(Frozen):
    """How a framework was filled: which key, which slots were confirmed in the source, which were not found."""

    key: str
    origin: Literal["shipped", "remembered", "advised"]
    values: dict[str, Any] = {}
    confirmed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
