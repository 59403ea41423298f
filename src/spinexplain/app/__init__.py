"""The reader: a server on one machine in which a scan is looked at, corrected and signed."""
