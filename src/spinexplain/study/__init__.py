"""Reader studies: what readers are shown and asked, what they answered, what follows."""
