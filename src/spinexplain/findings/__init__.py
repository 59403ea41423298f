"""What is concluded about a scan."""
