"""One file a step, in order; a file that was released is never changed."""
