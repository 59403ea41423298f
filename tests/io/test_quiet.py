"""Silence inside, everything as before outside."""

import logging
import warnings

import pytest

from spinexplain.io.quiet import quiet_dicom


def test_logs_and_warnings_are_silent_inside_and_back_outside(caplog):
    pydicom = logging.getLogger("pydicom")
    pydicom.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with quiet_dicom():
                pydicom.error("DOE^JANE")
                logging.getLogger("pydicom.pixels.decoders.base").error("DOE^JANE")
                warnings.warn("DOE^JANE", stacklevel=1)
        assert caplog.text == ""
        assert pydicom.level == logging.INFO
        pydicom.error("heard")
        assert "heard" in caplog.text
    finally:
        pydicom.setLevel(logging.NOTSET)


def test_an_error_puts_everything_back_too():
    before = logging.getLogger("pydicom").level
    with pytest.raises(ZeroDivisionError), quiet_dicom():
        raise ZeroDivisionError
    assert logging.getLogger("pydicom").level == before
