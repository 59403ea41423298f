"""From a CT and vertebra centres to patches, heights and quality flags, and back."""
