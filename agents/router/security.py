"""The security check: how far a step's text may travel. Whatever is in doubt stays at home."""

from hybridmesh.bus.settings import ProfileSettings
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Check, Lane
from hybridmesh.schemas.steps import StepClassified


def widest_lane(step: StepClassified, profile: ProfileSettings) -> Lane:
    """Return the most open lane that the label allows: LOCAL, SPLIT (a summary may leave) or REDACTED.

    SECRET never leaves, whatever the profile says. A text above the profile's label may still be put in the
    abstract when the step has a framework, since then the cloud sees the kind of problem and not the text.
    """
    if _home_reason(step, profile):
        return Lane.LOCAL
    return Lane.REDACTED if step.label <= profile.max_label else Lane.SPLIT


def check_security(step: StepClassified, profile: ProfileSettings) -> Check:
    """Judge label and doubt against the profile; score and threshold are labels (0 public to 3 secret)."""
    reason = _home_reason(step, profile)
    lane = widest_lane(step, profile)
    if lane is Lane.SPLIT:
        reason = f"{_name(step.label)} text stays home under this profile; only an abstract summary may leave"
    elif lane is Lane.REDACTED:
        hidden = step.findings.total
        reason = f"{_name(step.label)} text may leave" + (f" with {hidden} private values replaced" if hidden else "")
    return Check(
        name="security",
        score=float(step.label),
        threshold=float(profile.max_label),
        favours="either" if lane is Lane.REDACTED else "local",
        binding=lane is Lane.LOCAL,
        reason=reason,
    )


def _home_reason(step: StepClassified, profile: ProfileSettings) -> str:
    if profile.cloud == "never":
        return "this profile keeps everything at home"
    if step.label >= Sensitivity.SECRET:
        return "secrets never leave"
    if step.doubt is not None:
        return "the classifier was not sure that it found everything private"
    if step.redacted is None:
        return "there is no text without private values that could leave"
    if step.label > profile.max_label and step.context.spec.framework is None:
        return f"{_name(step.label)} text stays home under this profile"
    return ""


def _name(label: Sensitivity) -> str:
    return label.name.lower()
