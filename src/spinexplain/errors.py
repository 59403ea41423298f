"""Errors a user can act on.

SpinexplainError
├── FileFormatError   a file is missing, broken or not what its name says
├── GeometryError     affines, spacings or extents do not fit together
├── LabelError        vertebra labels or centroids are missing or contradict each other
├── ShapeError        an array argument has the wrong shape (also a ValueError)
├── ConfigError       a setting is unknown or out of range
├── ModelError        a model bundle is incomplete, changed or from another version
├── LocalizerError    an external segmentation tool is missing, fails or writes no mask
└── OutputError       the output exists already or cannot be written

Every message has four parts: what, what it was, what was expected, what to do.
The command line prints it as one line and leaves with exit code 2.
"""


class SpinexplainError(Exception):
    """Something the user gave is wrong; the message says how to put it right."""


class FileFormatError(SpinexplainError):
    """A file is missing, broken or not what its name says."""


class GeometryError(SpinexplainError):
    """Affines, spacings or extents do not fit together."""


class LabelError(SpinexplainError):
    """Vertebra labels or centroids are missing or contradict each other."""


class ShapeError(SpinexplainError, ValueError):
    """An array argument has the wrong shape."""


class ConfigError(SpinexplainError):
    """A setting is unknown or out of range."""


class ModelError(SpinexplainError):
    """A model bundle is incomplete, changed or from another version."""


class LocalizerError(SpinexplainError):
    """An external segmentation tool is missing, fails or writes no usable mask."""


class OutputError(SpinexplainError):
    """The output exists already or cannot be written."""
