"""What an HTTP status of the cloud means to the mesh: worth another try, or a refusal with a code; pure."""

_TRY_AGAIN = frozenset({408, 409, 429})
_SPENT = frozenset(
    {
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "organization_on_hold",
    }
)
_REFUSALS = {
    400: "cloud-bad-request",
    401: "cloud-key-refused",
    402: "cloud-payment-required",
    403: "cloud-forbidden",
    404: "cloud-model-unknown",
    413: "cloud-prompt-too-large",
    422: "cloud-bad-request",
}


def refusal_reason(status: int, error_code: str | None) -> str | None:
    """Return the code of a refusal, or None when the same request may succeed later.

    ``error_code`` is the provider's own machine-readable cause: a spent budget does not refill by waiting,
    whatever the status.
    """
    if error_code in _SPENT:
        return "cloud-spend-limit"
    if status in _TRY_AGAIN or status >= 500:  # noqa: PLR2004 - the server's side of HTTP
        return None
    if 300 <= status < 400:  # noqa: PLR2004 - a prompt is never sent on to another address
        return "cloud-redirected"
    return _REFUSALS.get(status, "cloud-refused")
