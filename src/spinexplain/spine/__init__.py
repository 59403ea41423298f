"""From a CT and vertebra centers to patches, heights and quality flags, and back."""
