"""Files in and out: NIfTI, DICOM and centroid lists."""
