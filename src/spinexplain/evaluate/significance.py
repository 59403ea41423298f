"""Tests on two models: each says what it cannot decide, instead of a number that cannot be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.errors import ShapeError

FEWEST_DISAGREEMENTS = 6  # below it the exact two-sided p cannot fall under 0.05


@dataclass(frozen=True)
class TestResult:
    """Outcome of one test.

    Parameters
    ----------
    test : str
    p_two_sided, p_one_sided : float
        NaN where the test was not computed; one-sided: the first model is better.
    floor_two_sided, floor_one_sided : float
        Smallest p this test can give with so many folds or vertebrae; NaN where it has none.
    note : str
        What must be said about it; why it was not computed.
    """

    __test__ = False  # pytest: this is no test case

    test: str
    p_two_sided: float
    p_one_sided: float
    floor_two_sided: float
    floor_one_sided: float
    note: str


def _undecided(test: str, note: str) -> TestResult:
    nan = float("nan")
    return TestResult(test, nan, nan, nan, nan, note)


def wilcoxon(first: np.ndarray, second: np.ndarray) -> TestResult:
    """Wilcoxon's signed-rank test over folds, exact, one- and two-sided.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        A figure of two models on the same n folds.

    Notes
    -----
    With n folds no p can be below 2^-n one-sided and 2^(1-n) two-sided: five folds never
    reach two-sided 0.05. Folds without a difference are left out, which raises the floor.

    Examples
    --------
    >>> result = wilcoxon(np.arange(5) + 0.5, np.zeros(5))
    >>> result.p_one_sided, result.p_two_sided
    (0.03125, 0.0625)
    """
    from scipy.stats import wilcoxon as signed_rank

    difference = _differences(first, second)
    n = int(np.count_nonzero(difference))
    if n < 3:
        return _undecided(
            "Wilcoxon", f"not computed: {n} folds with a difference, expected at least 3"
        )
    used = difference[difference != 0]
    # Ties of rank have no exact tables; all signs are gone through, which 2^n allows.
    two, one = (_signed_rank_p(used, side) for side in ("two-sided", "greater"))
    if len(np.unique(np.abs(used))) == n and n <= 50:
        two = float(signed_rank(used, alternative="two-sided", method="exact").pvalue)
        one = float(signed_rank(used, alternative="greater", method="exact").pvalue)
    floors = 2.0 ** (1 - n), 2.0**-n
    words = f"{n} folds: p cannot be below {floors[0]:.3g} two-sided, {floors[1]:.3g} one-sided"
    return TestResult("Wilcoxon", two, one, floors[0], floors[1], words)


def _signed_rank_p(difference: np.ndarray, side: str) -> float:
    """Return the exact p with tied ranks, by all 2^n signs (n <= 16), else by 100,000 draws."""
    from scipy.stats import rankdata

    ranks, n = rankdata(np.abs(difference)), len(difference)
    if n <= 16:
        signs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    else:
        signs = np.random.default_rng(0).integers(2, size=(100_000, n))
    sums, seen = signs @ ranks, ranks[difference > 0].sum()
    greater, less = np.mean(sums >= seen - 1e-9), np.mean(sums <= seen + 1e-9)
    return float(greater if side == "greater" else min(1.0, 2 * min(greater, less)))


def corrected_t_test(first: np.ndarray, second: np.ndarray) -> TestResult:
    """Nadeau and Bengio's corrected resampled t-test over the folds of a cross-validation.

    Parameters
    ----------
    first, second : ndarray, shape (k,)
        A figure of two models on the same k folds.

    Notes
    -----
    Trainings of one cross-validation share most of their data, so the plain t-test is too
    sure. The variance is multiplied by 1/k + n_test/n_train, which is 1/k + 1/(k-1) here;
    k - 1 degrees of freedom.

    Examples
    --------
    >>> result = corrected_t_test(np.array([0.8, 0.7, 0.9]), np.array([0.6, 0.6, 0.6]))
    >>> round(result.p_two_sided, 3)
    0.16
    """
    from scipy.stats import t as student

    difference = _differences(first, second)
    k = len(difference)
    if k < 3:
        return _undecided("corrected t-test", f"not computed: {k} folds, expected at least 3")
    spread = float(np.var(difference, ddof=1))
    if spread <= 1e-24 * float(np.max(np.abs(difference)) + 1) ** 2:
        return _undecided("corrected t-test", "not computed: all folds differ by the same amount")
    value = float(difference.mean()) / np.sqrt(spread * (1 / k + 1 / (k - 1)))
    nan = float("nan")
    return TestResult(
        "corrected t-test",
        float(2 * student.sf(abs(value), k - 1)),
        float(student.sf(value, k - 1)),
        nan,
        nan,
        f"t = {value:.2f}, {k - 1} degrees of freedom",
    )


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> TestResult:
    """McNemar's exact test on the vertebrae that exactly one of two models gets right.

    Parameters
    ----------
    first_right, second_right : ndarray of bool, shape (n,)
        Of the same vertebrae in the same order.

    Notes
    -----
    Vertebrae of one subject count as independent, which they are not quite; the subject
    bootstrap does not assume it.

    Examples
    --------
    >>> a = np.array([True] * 9 + [False])
    >>> result = mcnemar(a, ~a)
    >>> round(result.p_two_sided, 4)
    0.0215
    """
    from scipy.stats import binomtest

    first_right, second_right = np.asarray(first_right, bool), np.asarray(second_right, bool)
    if first_right.shape != second_right.shape:
        raise ShapeError(
            f"McNemar's test compares the same vertebrae; got {first_right.shape} and "
            f"{second_right.shape}. Pair the predictions first."
        )
    better = int(np.sum(first_right & ~second_right))
    worse = int(np.sum(~first_right & second_right))
    n = better + worse
    if n < FEWEST_DISAGREEMENTS:
        return _undecided(
            "McNemar",
            f"not computed: {n} vertebrae that only one model gets right, expected at least "
            f"{FEWEST_DISAGREEMENTS}",
        )
    return TestResult(
        "McNemar",
        float(binomtest(better, n).pvalue),
        float(binomtest(better, n, alternative="greater").pvalue),
        2.0 ** (1 - n),
        2.0**-n,
        f"only the first right: {better}, only the second: {worse}",
    )


def _differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or first.ndim != 1:
        raise ShapeError(
            f"a test over folds pairs two lists of figures; got shapes {first.shape} and "
            f"{second.shape}. Use the same folds for both models."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ShapeError(
            "a figure is missing in a fold (is a class absent there?); expected a finite number "
            "for every fold. Use fewer folds."
        )
    return first - second
