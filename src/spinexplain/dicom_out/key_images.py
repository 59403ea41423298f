"""Pictures as secondary captures, which every archive shows, and a note that points at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.dicom_out.codes import code
from spinexplain.dicom_out.result_context import MODEL_NAME, ResultContext

if TYPE_CHECKING:
    from highdicom.ko import KeyObjectSelectionDocument
    from highdicom.sc import SCImage


def key_images(context: ResultContext, pictures: Sequence[np.ndarray]) -> list[SCImage]:
    """Make one secondary capture a picture, all in one series.

    Parameters
    ----------
    context : ResultContext
    pictures : sequence of ndarray of uint8, shape (rows, columns, 3)
        With their words and their warning burned in.
    """
    from highdicom.sc import SCImage

    made = []
    for number, picture in enumerate(pictures, start=1):
        image = SCImage.from_ref_dataset(
            ref_dataset=context.references.headers[0],
            pixel_array=np.ascontiguousarray(picture),
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=("P", "F"),
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            **context.identifiers("key-images", number),
        )
        image.BurnedInAnnotation = "YES"
        image.BodyPartExamined = "SPINE"
        image.ManufacturerModelName = MODEL_NAME
        image.SoftwareVersions = context.software_version
        context.finish(image)
        made.append(image)
    return made


def key_note(context: ResultContext, images: Sequence[SCImage]) -> KeyObjectSelectionDocument:
    """Make the key object note that points at the pictures."""
    from highdicom import ko, sr
    from pydicom.sr.codedict import codes

    observer = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=context.uid("device"), name=MODEL_NAME
        ),
    )
    content = ko.KeyObjectSelection(
        document_title=code("object", "of_interest").concept,
        referenced_objects=list(images),
        observer_device_context=observer,
        description=f"spinexplain: {context.statement.status}, not for diagnostic use",
    )
    note = ko.KeyObjectSelectionDocument(
        evidence=list(images), content=content, **context.identifiers("key-note")
    )
    note.ManufacturerModelName = MODEL_NAME
    note.SoftwareVersions = context.software_version
    context.finish(note)
    return note
