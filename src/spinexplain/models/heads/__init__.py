"""What turns a trunk's features into logits: prototypes, a linear layer, the 3-D detector."""
