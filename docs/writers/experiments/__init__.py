"""The page on the comparisons of the ProtoVerse paper."""
