"""Replies as the cloud might write them, with a surrogate where a value stands."""

import re

from hypothesis import strategies as st

from hybridmesh.schemas.plans import OutputForm

MAIL = "[EMAIL_2X9P]"
ISSUED = {MAIL: "ana@example.org"}
FORMS = (OutputForm(), OutputForm(kind="json", json_schema={"type": "object"}))
PROSE = st.text(st.characters(exclude_characters="{}[]`~<$", exclude_categories=["Cs"]), max_size=60)


def written(shape: str) -> str:
    """Put the surrogate where a value stands; ``@-``, ``@example`` and the like stay."""
    return re.sub(r"@(?![\w-])(?<!\w@)", MAIL, shape)
