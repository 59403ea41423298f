"""What is written about a graded scan: result.json and heat maps."""
