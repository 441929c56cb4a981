"""What a run comes to, by place and period: all that its measures and its money are worked out from."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl


class Tallies(NamedTuple):
    """All that the measures and the money of a run are worked out from: what a log comes to, by place and period.

    Periods are those of ``calendar(start, days, ledger.price_dates(model))``: months, cut where a price changes.
    Columns, in this order, with RUN = strategy, replication and IDS = RUN, area, stage, group, tier, service, provider:

    - ``runs``: RUN, one row for each; every one is charged for the programmes, whether anything else happened in it or
      not.
    - ``served``: IDS, period, days, at_end. Person-days in services, and people there at the end of the period (what
      happens on the stroke of midnight belongs to the next day).
    - ``given``: measure, IDS, period, days, at_end. The same for every other measure of person-days.
    - ``counted``: measure, IDS, period, value. Every measure of events; ``waited_days`` are days, the others whole
      numbers. What happens at the horizon belongs to no period.
    - ``transitions``: RUN, area, stage, group, period, gbp. What supported transitions cost, in base-year prices (see
      :func:`simcare.money.ledger.transition_prices`).
    - ``aged``: measure ("served" or "induced_need_days"), band, IDS, period, days, at_end. The part of these days that
      comes after each band's first day of the stay (:func:`simcare.money.payments.bands`), where a price goes by the
      day of the stay.
    - ``spells``: as :func:`simcare.log.spells.spells`, of the offers that pay sums.
    - ``market``: as :func:`simcare.money.provider_accounts.market_frame`; empty where there is no market and nobody
      failed.

    Types: ``strategy``, ``area``, ``stage``, ``group``, ``service`` and ``provider`` String or Enum; ``tier`` an Enum
    in order of the ladder; ``replication`` Int32; ``measure`` an Enum; ``period`` and ``at_end`` Int64; ``days``,
    ``value`` and ``gbp`` Float64. In no service, ``tier`` is the lowest, ``service`` and ``provider`` are null. A key
    comes once; one that is absent is nought. Rows are in order of their key (names in order of the enum, nulls last),
    but nothing rests on it, except for the order of the measures and the last digits of sums.
    """

    runs: pl.DataFrame
    served: pl.DataFrame
    given: pl.DataFrame
    counted: pl.DataFrame
    transitions: pl.DataFrame
    aged: pl.DataFrame
    spells: pl.DataFrame
    market: pl.DataFrame
