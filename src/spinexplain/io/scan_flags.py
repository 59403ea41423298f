"""What a scan's own file leaves open; set when it is read, shown beside every vertebra."""

from __future__ import annotations

ORIENTATION_UNKNOWN = "orientation_unknown"
SFORM_QFORM_DIFFER = "sform_qform_differ"
RESCALE_ASSUMED = "rescale_assumed"
SLICES_ODD = "slices_odd"
COMPUTED_VALUES = "computed_values"


class ScanWarning(UserWarning):
    """The scan can be read, but something about it should be known."""
