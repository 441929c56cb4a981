"""Numbers in JSON have no noise of binary sums."""

from __future__ import annotations

import json

from simcare.files.json_text import json_text


def test_json_holds_twelve_figures_however_deep() -> None:
    text = json_text({"a": [0.1 + 0.2, {"b": (2.0 / 3.0, 199_999.9999999999)}], "seed": 2**62, "name": "0.30000000004"})
    assert json.loads(text) == {
        "a": [0.3, {"b": [0.666666666667, 200_000.0]}],
        "seed": 2**62,
        "name": "0.30000000004",
    }
