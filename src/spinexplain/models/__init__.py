"""Networks, their inputs and losses, and the bundles they are kept in."""
