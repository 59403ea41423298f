"""What the prototypes of a model are, what they do, and to whom."""
