"""Stands in for a segmentation tool: fake_localizer.py MASK CT OUT copies MASK to OUT."""

import shutil
import sys

mask, ct, out = sys.argv[1:]
assert open(ct, "rb").read(2)
print("segmenting 50 %", flush=True)
shutil.copy(mask, out)
