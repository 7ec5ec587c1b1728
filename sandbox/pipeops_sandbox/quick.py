"""What moto and its libraries work out anew for each call, or for each member of an answer: here it is kept."""

from __future__ import annotations

import functools
from typing import Any

import xmltodict
from moto.core import responses
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import MISSING, get_value, method_names_from_class  # type: ignore[attr-defined]  # not in its stubs


class Picker(XFormedAttributePicker):
    """Finds the value of each member of an answer in moto's objects, at half of the price."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._transformed = tuple(self.response_transformers)

    def __call__(self, context: AttributePickerContext) -> Any:
        """Return a member's value as moto does, None where there is none."""
        found = (get_value(context.obj, key, MISSING) for key in self._keys(context))
        value = next((one for one in found if one is not MISSING), None)
        path = f"{context.key_path}.{context.key}"
        if path.endswith(self._transformed):
            transform = next(row for end, row in self.response_transformers.items() if path.endswith(end))
            value = transform(value)
        return value

    def _keys(self, context: AttributePickerContext) -> list[str]:
        """Where to look; it depends on the member and on the object's class, so it is kept with the member's shape."""
        known: dict[Any, list[str]] = context.shape.__dict__.setdefault("possible_keys", {})
        place = (context.key, type(context.obj))
        if place not in known:
            known[place] = list(dict.fromkeys(self.get_possible_keys(context)))
        return known[place]


def install() -> None:
    """Put the quick ways in place of moto's, before the first request."""
    responses.XFormedAttributePicker = Picker  # type: ignore[attr-defined,assignment]
    # All attributes of a response class are looked through at each call: 3 ms in the case of EC2.
    responses.method_names_from_class = functools.cache(method_names_from_class)  # type: ignore[attr-defined]
    # The name of each XML element that is written is validated; they are those of the service models.
    xmltodict._validate_name = functools.lru_cache(10_000)(xmltodict._validate_name)
