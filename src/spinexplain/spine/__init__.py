"""The spine in a scan: where each vertebra lies, its heights, its patches, its flags."""
