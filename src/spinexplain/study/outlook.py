"""What the next study needs, from what this one showed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import logit

from spinexplain.evaluate.agreement import agreement_of
from spinexplain.study.asking import Question
from spinexplain.study.pools import ALL, leading, pools
from spinexplain.study.power import Setting, cases_needed, power_curve, spread_of
from spinexplain.study.tally import Tally, piece_answers


def power_rows(
    found: Tally, questions: Sequence[Question], foils: Sequence[dict[str, Any]], seed: int
) -> list[dict[str, Any]]:
    """Simulate the next study with the difference that was seen, and with half of it.

    Readers who answer everything alike are left out where there are others.
    """
    rows = []
    for question in questions:
        pooled = leading(foils, question=question.key, foil=ALL)
        if pooled is None or pooled["real"] is None or pooled["real"] <= pooled["false"]:
            continue
        setting = _setting(found, question, pooled["real"], pooled["false"])
        for share in (1.0, 0.5):
            apart = share * (pooled["real"] - pooled["false"])
            middle = (pooled["real"] + pooled["false"]) / 2
            tried = Setting(
                middle + apart / 2,
                middle - apart / 2,
                setting.readers,
                setting.pieces,
                setting.page_sd,
                setting.reader_sd,
            )
            curve = power_curve(tried, seed)
            rows.append(
                {
                    "question": question.key,
                    "difference": apart,
                    "of_observed": share,
                    "readers": setting.readers,
                    "curve": [list(point) for point in curve],
                    "cases_for_80_percent": cases_needed(curve),
                }
            )
    return rows


def _setting(found: Tally, question: Question, real: float, false: float) -> Setting:
    real_rows = found.where(lambda page: page.real)
    columns = pools(found, question)[0][1]
    pieces = piece_answers(found, question)[real_rows][:, :, columns]
    flat = pieces.reshape(-1, len(columns))
    owners = np.repeat(found.subjects(real_rows), pieces.shape[1])
    kappa = float("nan")
    if len(columns) > 1:
        result = agreement_of(flat, 2, owners, draws=1)
        kappa = result.figures["fleiss"].value if result.figures else kappa
    means = [_mean_of(column) for column in flat.T]
    odds = [float(logit(np.clip(mean, 0.02, 0.98))) for mean in means if mean is not None]
    return Setting(
        real,
        false,
        readers=max(len(columns), 1),
        pieces=max(pieces.shape[1], 1),
        page_sd=spread_of(kappa),
        reader_sd=float(np.std(odds, ddof=1)) if len(odds) > 1 else 0.0,
    )


def _mean_of(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
