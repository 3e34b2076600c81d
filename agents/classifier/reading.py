"""A text in the three forms that the detector reads: laid out, normalised, and with what is encoded undone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybridmesh.agents.classifier.encodings import decode_inline
from hybridmesh.agents.classifier.layout import Layout, lay_out
from hybridmesh.agents.classifier.normalise import fold_look_alikes, normalise, readable
from hybridmesh.agents.classifier.spans import resolve
from hybridmesh.agents.classifier.views import View
from hybridmesh.schemas.privacy import Span


@dataclass(frozen=True, slots=True)
class Reading:
    """``written`` keeps the letters of all scripts, ``plain`` folds their look-alikes, ``decoded`` undoes codes too.

    All three are views of the layout's.
    """

    layout: Layout
    written: View
    plain: View
    decoded: View

    @property
    def others(self) -> tuple[View, ...]:
        """The forms beside ``decoded`` that say something else."""
        return tuple(view for view in dict.fromkeys((self.plain, self.written)) if view.text != self.decoded.text)

    def kept(self, found: Sequence[Span]) -> list[Span]:
        """Return those of the spans of ``decoded`` that take something of the text as given: no syntax alone."""
        if not self.layout.syntax:
            return list(found)
        return [span for span in found if next(self.layout.spans([self.decoded.below(span)]), None) is not None]

    def spans(self, found: Iterable[Span], others: Iterable[Span]) -> list[Span]:
        """Return disjoint spans of the text as given: ``found`` are of ``decoded``, ``others`` of the layout's view."""
        laid = resolve([*(self.decoded.below(span) for span in resolve(found)), *others])
        return resolve(self.layout.spans(laid))


def read(text: str) -> Reading:
    """Return the forms of a text."""
    layout = lay_out(text)
    written = readable(layout.view.text)
    plain = View(fold_look_alikes(written.text), written.starts, written.ends)
    decoded = decode_inline(plain.text)
    if decoded.text != plain.text:  # "&nbsp;" and "%EF%BC%94" say what is not plain either
        decoded = normalise(decoded.text).over(decoded)
    return Reading(layout, written, plain, decoded.over(plain))
