"""The package's own localizer: vertebrae found and named in a bare CT, their bodies painted."""
