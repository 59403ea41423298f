"""What a report must say of a model, and how far its evidence could be believed."""

from __future__ import annotations

from dataclasses import dataclass

from spinexplain.types.sides import SideReliability


@dataclass(frozen=True)
class EvidenceReliability:
    """How far the evidence of one model by one explainer could be believed where it was tested.

    Parameters
    ----------
    method : str
        Name of the explainer in ``EXPLAINERS``.
    cohort : str
        Name of the held-out phantoms.
    endplate : float
        Share of fractures in which the map chose the right endplate, both endplates counting
        the same; chance is 0.5.
    low, high : float or None
        95 % interval by subject.
    fractures : int
        How many fractures that was asked of.
    equally_convincing : float or None
        Share of false alarms with evidence as strong as in the median fracture that was found.
    false_alarms : int
    """

    method: str
    cohort: str
    endplate: float
    low: float | None
    high: float | None
    fractures: int
    equally_convincing: float | None = None
    false_alarms: int = 0


@dataclass(frozen=True)
class ModelInfo:
    """What a report must say about the model behind a grade.

    Parameters
    ----------
    name, version : str
    sha256 : str
        Of the bundle's manifest, which holds the hash of every other file.
    classes : tuple of str
    trained_on : str
    runtime : str
        What ran the network, e.g. ``"openvino 2026.4.1, fp32"``, and why not what the bundle
        would have preferred.
    weights_sha256 : str
        Of the weights alone, which an export of the bundle leaves as they are; empty for a
        network that is not from a bundle.
    evidence : tuple of EvidenceReliability
        One for each explainer that was tested on this very model.
    sides : SideReliability or None
        How to ask this very model which side is graver; None where that was not tested.
    """

    name: str
    version: str
    sha256: str
    classes: tuple[str, ...]
    trained_on: str
    runtime: str = "torch"
    weights_sha256: str = ""
    evidence: tuple[EvidenceReliability, ...] = ()
    sides: SideReliability | None = None

    @property
    def synthetic_only(self) -> bool:
        """Whether it says that no patient was among its training data.

        Examples
        --------
        >>> said = "5 vertebrae of synthetic spines only (cohort p, training)"
        >>> ModelInfo("m", "1", "", ("G0", "G2"), trained_on=said).synthetic_only
        True
        """
        return says_synthetic_only(self.trained_on)


def says_synthetic_only(trained_on: str) -> bool:
    """Whether a statement of training data says that no patient was among them.

    Examples
    --------
    >>> says_synthetic_only("44000 synthetic sheets; no patient was used for training")
    True
    >>> says_synthetic_only("374 vertebrae of patients' CTs and synthetic ones")
    False
    """
    said = trained_on.casefold()
    return "synthetic" in said and ("only" in said or "no patient" in said)
