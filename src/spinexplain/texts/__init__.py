"""The translatable sentences that a person reads."""
