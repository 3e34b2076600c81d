"""What tokens cost: the price list of genai-prices, as it was when the package was made; no network."""

from decimal import Decimal


def price_of(provider: str, model: str, input_tokens: int, output_tokens: int) -> Decimal | None:
    """Return the price of a call in USD, or None for a model whose price is not known (never zero for that)."""
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(
            Usage(input_tokens=input_tokens, output_tokens=output_tokens), model_ref=model, provider_id=provider
        )
    except LookupError:
        return None
    return found.total_price
