"""Adapter to genai-prices: what a model's tokens cost, from the price list that ships with the package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from genai_prices import Usage, calc_price

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class PerMillion:
    """A price that the user states, in USD for a million tokens."""

    input_usd: Decimal
    output_usd: Decimal


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of one provider's models; ``overrides`` (by model) come first, and nothing is fetched."""

    provider: str = "anthropic"
    overrides: Mapping[str, PerMillion] = field(default_factory=dict[str, PerMillion])

    def price(self, model: str, input_tokens: int, output_tokens: int) -> Decimal | None:
        """Return the price of a call in USD, or None when the model is not on the list."""
        own = self.overrides.get(model)
        if own is not None:
            return (own.input_usd * input_tokens + own.output_usd * output_tokens) / _MILLION
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        try:
            return calc_price(usage, model_ref=model, provider_id=self.provider).total_price
        except LookupError:
            return None
