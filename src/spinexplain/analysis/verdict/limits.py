"""What keeps the verdict from more: how near its misses are, what its false alarms look like.

And how far anybody would get who knew the true loss, with a line chosen by the same rule.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.fit import normal_tops, upper_line
from spinexplain.findings.verdict import NOT_ASSESSABLE, SUSPECTED

NEAR = 0.30
"""A true loss under this is within 5 points of a moderate fracture's lower bound."""


def limits(chosen: pd.DataFrame, tested: pd.DataFrame, states: pd.Series) -> dict[str, Any]:
    """Describe misses and false alarms, and count what the true loss alone would reach.

    Parameters
    ----------
    chosen : DataFrame
        Rows of the fitting spines; the line on the true loss is chosen on them.
    tested : DataFrame
        Rows of one group.
    states : Series of str
        The verdicts on ``tested``.

    Returns
    -------
    dict
        ``missed_near`` and ``found_near`` (moderate fractures not suspected, and suspected, whose
        true loss is under 30 %: ``[count, of]``), ``alarm_look_alikes`` (look-alike -> count, of
        unfractured vertebrae that are suspected; ``none`` where there is none),
        ``false_alarms`` (their number), ``oracle_line`` (true loss), and by it
        ``oracle_false_alarm_spines`` and ``oracle_g2_suspected``.
    """
    moderate = (tested["grade"] == 2) & (states != NOT_ASSESSABLE)
    suspected = states == SUSPECTED
    alarms = tested[(tested["grade"] == 0) & suspected]
    line = upper_line(normal_tops(chosen, chosen["loss"].to_numpy(float)))
    tops = normal_tops(tested, tested["loss"].to_numpy(float))
    over = (tested["loss"] >= line).to_numpy()
    return {
        "missed_near": _near(tested[moderate & ~suspected]),
        "found_near": _near(tested[moderate & suspected]),
        "false_alarms": len(alarms),
        "alarm_look_alikes": dict(
            Counter(n for names in alarms["look_alikes"] for n in names.split(",") if n)
            + Counter(none=int((alarms["look_alikes"] == "").sum()))
        ),
        "oracle_line": float(line),
        "oracle_false_alarm_spines": [int((tops >= line).sum()), len(tops)],
        "oracle_g2_suspected": [int(np.sum(over & moderate)), int(moderate.sum())],
    }


def _near(rows: pd.DataFrame) -> list[int]:
    return [int((rows["loss"] < NEAR).sum()), len(rows)]
