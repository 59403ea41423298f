"""Prototype heads on frozen trunks: trained on held features, in seconds each."""
