"""Files of a bundle that say what was found for its very weights: read, checked, and put there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from spinexplain.errors import ModelError, OutputError
from spinexplain.io.files import atomic_file, sha256_file
from spinexplain.models.bundle.folder import read_json, verify, write_json, write_manifest

WEIGHTS_FILE = "model.safetensors"


class OfWeights(BaseModel):
    """What every such file holds: the hash of the weights it was found for."""

    weights_sha256: str


Form = TypeVar("Form", bound=OfWeights)


def read_beside_weights(
    path: Path, form: type[Form], weights_sha256: str, if_damaged: str, if_of_others: str
) -> Form | None:
    """Read one; None where nothing was stored.

    Parameters
    ----------
    path : Path
        In a bundle whose files were verified.
    form : type
        What the file holds.
    weights_sha256 : str
        Of the model's weights.
    if_damaged, if_of_others : str
        What was expected and what to do, the ends of the two messages.

    Raises
    ------
    ModelError
        If the file is damaged, or is of other weights.
    """
    if not path.is_file():
        return None
    try:
        found = form.model_validate(read_json(path))
    except ValidationError as error:
        raise ModelError(f"{path} is damaged ({error.errors()[0]['msg']}); {if_damaged}") from None
    if found.weights_sha256 != weights_sha256:
        raise ModelError(f"{path} is of other weights than {WEIGHTS_FILE}. {if_of_others}")
    return found


def store_beside_weights(path: Path, form: type[Form], content: Mapping[str, Any]) -> None:
    """Put one into a bundle, in place of what was there, and list it.

    Parameters
    ----------
    path : Path
        In the bundle's folder.
    form : type
    content : mapping
        Without the hash of the weights, which is added.

    Raises
    ------
    ModelError
        If the bundle is damaged.
    OutputError
        If it cannot be written.
    """
    folder = path.parent
    verify(folder)
    whole = {**content, "weights_sha256": sha256_file(folder / WEIGHTS_FILE)}
    form.model_validate(whole)
    try:
        with atomic_file(path) as temporary:
            write_json(temporary, whole)
        write_manifest(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None
