"""The page on dissection, and the twelve points of the ledger."""
